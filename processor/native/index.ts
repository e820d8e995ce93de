export { createLogBlock, type LogAppendResult, type LogBlock } from "./log-block.ts";
export type { Rejected } from "./rejections.ts";
export { createTracesScan, scanTraces, type ScanResult } from "./scan-traces.ts";
export { type AppendResult, createSpanBlock, type SpanBlock } from "./span-block.ts";
export { type TouchedRun, touchedRunFrom } from "./touched-run.ts";
