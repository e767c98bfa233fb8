// A provider of OpenID Connect as anybody may run one (oidc-provider, certified), whose people are given as arguments:
//
//   node tests/npm/openid.mjs PORT REDIRECT SECRET SUBJECT=NAME…
//
// Whoever types a subject into its form is that somebody: `oidc-provider` brings such forms for trials.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [port, redirect, secret, ...people] = process.argv.slice(2);
const names = new Map(people.map((person) => person.split("=")));
const library = pathToFileURL("target/test-npm/node_modules/oidc-provider/lib/index.js");
const { Provider } = await import(library.href);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "camhealth", client_secret: secret, redirect_uris: [redirect] }],
  cookies: { keys: ["of a trial"] },
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  pkce: { required: () => true },
  findAccount: (_, id) => names.has(id) && {
    accountId: id,
    claims: () => ({ sub: id, preferred_username: names.get(id) }),
  },
});
createServer(provider.callback()).listen(Number(port), "127.0.0.1", () => console.log(`READY ${issuer}`));
