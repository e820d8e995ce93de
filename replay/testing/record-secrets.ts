/** Runs every case of the secretive agent, one after another, in a process of its own. `plain`: with nothing redacted. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { instrumentHttp } from "../../instrumentation/auto/http/instrument-http.ts";
import type { Redactor } from "../../instrumentation/capture/redactor.ts";
import { runtime } from "../../instrumentation/runtime.ts";
import secretive, { type SecretiveCase } from "./agents/secretive-agent.ts";

if (process.argv[2] === "plain") {
  const plain: Redactor = {
    text: (value) => value,
    json: (value) => value,
    redactText: (value) => ({ value, changed: false }),
    redactJson: (value) => ({ value, changed: false }),
  };
  const slots = globalThis as unknown as Record<symbol, unknown>;
  slots[Symbol.for("runproof.runtime")] = { ...runtime(), redactor: plain };
}
const cases = JSON.parse(readFileSync(process.env["SECRETS_FILE"] ?? "", "utf8")) as readonly SecretiveCase[];
/** Answers with secrets: in a cookie, and in the chunks of a stream that cut them in two. */
const server = createServer((request, response) => {
  const { secrets } = cases[Number(new URL(request.url ?? "", "http://a").searchParams.get("case"))] ?? {};
  const body = `data: ${JSON.stringify({ said: secrets?.model_response })}\n\n`;
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "set-cookie": `sid=${encodeURIComponent(secrets?.result ?? "")}`,
  });
  response.write(body.slice(0, body.length / 2));
  setTimeout(() => response.end(body.slice(body.length / 2)), 5);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const world = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
instrumentHttp();
for (const [index, { secrets }] of cases.entries()) await secretive({ case: index, note: secrets.input, world });
server.closeAllConnections();
server.close();
