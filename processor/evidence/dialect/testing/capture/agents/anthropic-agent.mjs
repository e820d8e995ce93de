// @anthropic-ai/sdk with its built-in tracing, content included, and its tool runner.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { flush } = require("./telemetry.cjs");
const scenario = require("./scenario.json");
const { default: Anthropic } = await import("@anthropic-ai/sdk");

const client = new Anthropic({
  baseURL: process.env.MODEL_URL,
  apiKey: "key",
  maxRetries: 0,
  openTelemetry: { traces: { enabled: true, contentMode: "content" } },
});
const runner = client.beta.messages.toolRunner({
  model: scenario.model,
  max_tokens: 100,
  system: scenario.system,
  messages: [{ role: "user", content: scenario.question }],
  tools: scenario.tools.map(({ name, description, parameters, result }) => ({
    type: "custom",
    name,
    description,
    input_schema: parameters,
    parse: (input) => input,
    run: async () => JSON.stringify(result),
  })),
  stream: process.env.STREAM === "1",
});
if (process.env.STREAM === "1") {
  for await (const stream of runner) await stream.finalMessage();
} else for await (const _ of runner);
await flush();
