import type { AggregationTemporality, InstrumentType } from "@opentelemetry/sdk-metrics";

type MetricsPackage = Pick<typeof import("@opentelemetry/sdk-metrics"), "AggregationTemporality" | "InstrumentType">;

/**
 * Temporality of each kind of metric. A gauge is told as it was observed this time: with the SDK's cumulative one a label set
 * that is no longer observed, such as an alert that was resolved, would be told for ever with its last value, and rules
 * on absence would never fire. Counters and histograms stay cumulative, as Prometheus wants them.
 */
export const gaugesOfNow =
  ({ AggregationTemporality: temporality, InstrumentType: instrument }: MetricsPackage) =>
  (type: InstrumentType): AggregationTemporality =>
    type === instrument.OBSERVABLE_GAUGE ? temporality.DELTA : temporality.CUMULATIVE;
