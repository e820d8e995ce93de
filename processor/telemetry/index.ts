export { createServiceMeters, type ServiceMeters } from "./service-meters.ts";
export { createStoreHealth, type StoreHealth } from "./store-health.ts";
export type { ForwardFigures, RunFigures } from "./sources.ts";
export { createTelemetry, type MetricsText, type Telemetry } from "./telemetry.ts";
