import type { MetricReader } from "@opentelemetry/sdk-metrics";
import { gaugesOfNow } from "./gauges-of-now.ts";
import type { PrometheusPackages } from "./optional-packages.ts";

/** A reader that collects when it is asked to; nothing else of a metrics pipeline is needed for `/metrics`. */
export function createPullReader({ metrics }: PrometheusPackages): MetricReader {
  class PullReader extends metrics.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  return new PullReader({ aggregationTemporalitySelector: gaugesOfNow(metrics) });
}
