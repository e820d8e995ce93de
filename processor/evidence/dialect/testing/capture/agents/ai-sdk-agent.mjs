// The AI SDK with its own telemetry: experimental_telemetry (5, 6) or @ai-sdk/otel (7).
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const { flush } = require("./telemetry.cjs");
const scenario = require("./scenario.json");
const ai = await import("ai");
const { createOpenAI } = await import("@ai-sdk/openai");

const major = Number(require("ai/package.json").version.split(".")[0]);
if (major >= 7) {
  const { OpenTelemetry } = await import("@ai-sdk/otel");
  ai.registerTelemetry(new OpenTelemetry());
}
const options = { isEnabled: true, functionId: scenario.agent };
const model = createOpenAI({ baseURL: `${process.env.MODEL_URL}/v1`, apiKey: "key" }).chat(scenario.model);
const request = {
  model,
  prompt: scenario.question,
  temperature: 0,
  stopWhen: (ai.isStepCount ?? ai.stepCountIs)(5),
  tools: Object.fromEntries(
    scenario.tools.map(({ name, description, parameters, result }) => [
      name,
      ai.tool({ description, inputSchema: ai.jsonSchema(parameters), execute: async () => result }),
    ]),
  ),
  ...(major >= 7
    ? { telemetry: options, instructions: scenario.system }
    : { experimental_telemetry: options, system: scenario.system }),
};
if (process.env.STREAM === "1") for await (const _ of ai.streamText(request).textStream);
else await ai.generateText(request);
await flush();
