// An OpenID provider on the loopback for the tests: node server.mjs
//
// Prints "READY <issuer>" once it listens. Takes one command a line on its standard input, "shift <seconds>", moves
// its clock and answers "SHIFTED". Ends when its standard input does, so it never outlives the tests.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import Provider from "oidc-provider";

// The library's advice goes where its errors go: the standard output is for the two words above.
console.info = console.warn = console.error;
const say = (text) => process.stdout.write(`${text}\n`);

const machine = Date.now;
let shift = 0;
Date.now = () => machine() + shift * 1000;

const key = (alg, ...kind) => {
  const pair = generateKeyPairSync(...kind);
  return { ...pair.privateKey.export({ format: "jwk" }), alg, kid: alg, use: "sig" };
};

const GRANTS = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token", "authorization_code"];
const client = (client_id, more = {}) => ({
  client_id,
  client_name: "Gatekey",
  grant_types: GRANTS,
  redirect_uris: ["http://127.0.0.1/callback"],
  token_endpoint_auth_method: "none",
  ...more,
});

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client("console"),
      client("console-es256", { id_token_signed_response_alg: "ES256" }),
      client("console-eddsa", { id_token_signed_response_alg: "EdDSA" }),
      client("console-basic", { client_secret: "s/e+c ret:%", token_endpoint_auth_method: "client_secret_basic" }),
      client("console-codes-only", { grant_types: ["authorization_code"] }),
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"] },
    cookies: { keys: ["tests only"] },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    features: { deviceFlow: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: `${id}-display` }) }),
    jwks: {
      keys: [
        key("RS256", "rsa", { modulusLength: 2048 }),
        key("ES256", "ec", { namedCurve: "P-256" }),
        key("EdDSA", "ed25519"),
      ],
    },
    ttl: { DeviceCode: 600, Session: 3600, Interaction: 3600, Grant: 3600, IdToken: 600, AccessToken: 600 },
  });
  server.on("request", provider.callback());
  say(`READY ${issuer}`);
});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    shift = Number(line.split(" ")[1]);
    say("SHIFTED");
  })
  .on("close", () => process.exit(0));
