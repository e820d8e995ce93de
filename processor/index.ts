export { ConfigError, loadServiceConfig, type ServiceConfig } from "./config.ts";
export { runFactsFromSpans, type KnownFacts } from "./evidence/run-facts-from-spans.ts";
export type { RecordedCall } from "./evidence/recorded-call.ts";
export type { RunFacts } from "./evidence/run-facts.ts";
export { openClickHouseSource, type OpenClickHouseSourceOptions } from "./scope/index.ts";
export { startService, type Service, type ServiceOptions } from "./service.ts";
export { RunSpanProcessor, type RunSpanProcessorOptions } from "./span-processor.ts";
export { judge } from "./verdict/judge.ts";
export type { Findings, Validator } from "./verdict/validator.ts";
