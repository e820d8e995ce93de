/**
 * Runs one of an example's two agents once, as a service would. The process has an OpenTelemetry SDK of its own; the
 * RunSpanProcessor judges the run before it leaves the process.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { RunSpanProcessor } from "../processor/index.ts";

export async function runOnce<Input>(
  agents: Readonly<Record<"broken" | "fixed", (input: Input) => Promise<string>>>,
  input: Input,
): Promise<void> {
  const sdk = new NodeSDK({
    spanProcessors: [new RunSpanProcessor(), new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  sdk.start();
  const agent = process.argv[2] === "fixed" ? agents.fixed : agents.broken;
  console.log(await agent(input));
  await sdk.shutdown();
}
