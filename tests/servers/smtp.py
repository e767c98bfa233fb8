"""A mail server that takes everything and prints each message as a line of JSON."""

import asyncio
import email
import email.policy
import json

from aiosmtpd.smtp import SMTP


class Printer:
    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        shown = {name.lower(): value for name, value in message.items()}
        shown["body"] = message.get_content()
        print("MAIL " + json.dumps(shown), flush=True)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Printer(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"READY 127.0.0.1:{port}", flush=True)
    await server.serve_forever()


asyncio.run(main())
