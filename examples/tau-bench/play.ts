/**
 * The agent's process: plays each recorded run of a file through the airline agent, under an OpenTelemetry SDK of its own,
 * and ends with 0 as any service would. `node play.js <file>`
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import runAirlineAgent from "./airline-agent.ts";
import { loadRecordedRuns } from "./recorded-run.ts";
import { inputOf, recordedWorld } from "./recorded-world.ts";

const [file = ""] = process.argv.slice(2);
const sdk = new NodeSDK({ spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })] });
sdk.start();
const runs = await loadRecordedRuns(file);
for (const [index, run] of runs.entries()) {
  await runAirlineAgent(inputOf(run), recordedWorld(run));
  process.send?.({ played: index + 1, of: runs.length });
}
await sdk.shutdown();
process.disconnect?.();
