// Verifies a delivery with the published package: [{secret, headers, body}, …] on stdin.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { Webhook } = require("standardwebhooks");

for (const { secret, headers, body } of JSON.parse(await text(process.stdin))) {
  console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
}
