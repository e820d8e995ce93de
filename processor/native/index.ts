export { createLogBlock, type LogAppendResult, type LogBlock } from "./log-block.ts";
export type { Rejected } from "./rejections.ts";
export { createLogsScan, type LogsScan } from "./scan-logs.ts";
export {
  createTracesScan,
  scanTraces,
  type ScanResult,
  type TracesScan,
  type TracesScanResult,
} from "./scan-traces.ts";
export { type AppendOptions, type AppendResult, createSpanBlock, type SpanBlock } from "./span-block.ts";
export { type TouchedRun, touchedByLog, touchedRunFrom } from "./touched-run.ts";
