export type { GateScope } from "./gate/gate-input.ts";
export type { MetricFigure } from "./metric-figures.ts";
export { type WebhookConfig, webhooksFrom } from "./monitor-config.ts";
export { createMonitoring, type Monitoring } from "./monitoring.ts";
