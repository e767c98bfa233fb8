#!/usr/bin/env python3
# A camera on aio-rtsp-toolkit: a second RTSP server, independent of GStreamer, that plays files over TCP.
"""Serves the files of a directory: prints `READY rtsp://…` when it serves and ends when its standard input closes.

Clients choose how often a file is played: `/t.mp4?play_count=0` never ends, `?play_count=1` ends the stream with an
RTCP BYE after the first time.
"""

import argparse
import asyncio
import logging
import os
import sys

import aio_sockets
from aio_rtsp_toolkit import server as toolkit


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("media", help="directory of the files")
    args = parser.parse_args()
    # Its own logger writes to standard output, which belongs to the READY line.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    toolkit.logger = aio_sockets.aio_sockets.logger = logging.getLogger("aio")
    server = await toolkit.RtspServer(args.media, args.address, args.port).start()
    port = server._server.sockets[0].getsockname()[1]
    print(f"READY rtsp://{args.address}:{port}", flush=True)
    parted = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await asyncio.wait([parted, asyncio.ensure_future(server.serve_forever())], return_when=asyncio.FIRST_COMPLETED)
    # Sessions that still run would keep the event loop busy; nobody is left to care.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
