/**
 * Runs the research agent once, as a service would: `node once.js [broken|fixed] [topic]`.
 * It has an OpenTelemetry SDK of its own; the RunSpanProcessor judges the run before it leaves the process.
 */
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { RunSpanProcessor } from "../../processor/index.ts";
import broken from "./broken.ts";
import fixed from "./fixed.ts";

const [variant = "broken", topic = "tides"] = process.argv.slice(2);
const sdk = new NodeSDK({
  spanProcessors: [new RunSpanProcessor(), new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
sdk.start();
console.log(await (variant === "fixed" ? fixed : broken)({ topic }));
await sdk.shutdown();
