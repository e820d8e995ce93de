// An agent that owns its OpenTelemetry SDK 2.x. All that runproof asks of it is one more span processor.
import { writeFile } from "node:fs/promises";
import { NodeSDK, tracing } from "@opentelemetry/sdk-node";
import { defineContract, withRun, wrapTool } from "runproof";
import { RunSpanProcessor } from "runproof/processor";

const sdk = new NodeSDK({
  serviceName: "greeter",
  spanProcessors: [new RunSpanProcessor(), new tracing.SimpleSpanProcessor(new tracing.ConsoleSpanExporter())],
});
sdk.start();

const contract = defineContract({
  agent: "greeter",
  artifacts: [{ name: "greeting", path: "greeting.txt" }],
  tools: { allowed: ["write_greeting"] },
});

const writeGreeting = wrapTool({ name: "write_greeting", sideEffect: "write" }, async ({ name }) => {
  await writeFile("greeting.txt", `Hello, ${name}!\n`);
});

await withRun(contract, () => writeGreeting({ name: process.argv[2] ?? "world" }), {
  onClosed: ({ verdict }) => console.error(`verdict: ${verdict?.status}`),
});
await sdk.shutdown();
