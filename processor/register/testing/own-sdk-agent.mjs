// A service with an OpenTelemetry SDK of its own, which it starts after `runproof/register` is in place, and one task over
// HTTP. Knows nothing of runproof.
import { once } from "node:events";
import http from "node:http";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";

// As modules do that are loaded before the SDK is started.
const early = trace.getTracer("early");
early.startSpan("before the SDK").end();

const sdk = new NodeSDK({ autoDetectResources: false, instrumentations: [] });
sdk.start();
early.startActiveSpan("theirs", (span) => span.end());

const server = http.createServer((request, response) => {
  fetch(process.env.MODEL_URL, { method: "POST", body: "{}" }).then(
    async (answer) => response.end(await answer.text()),
    (error) => response.writeHead(500).end(String(error)),
  );
});
await once(server.listen(0, "127.0.0.1"), "listening");
const answer = await fetch(`http://127.0.0.1:${server.address().port}/task`);
process.stdout.write(`${answer.status} ${await answer.text()}`);
server.close();
await sdk.shutdown();
