import type { Counter, Histogram, Meter } from "@opentelemetry/api";
import { SELF_METRICS, type MetricDefinition } from "../../instrumentation/semconv.ts";

/** From a tenth of a millisecond to a minute: acknowledgements take one, inserts ten to some thousand. Seconds. */
const DURATION_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is counted where it happens. Each costs the hot path one addition. */
export interface Instruments {
  readonly requests: Counter;
  readonly records: Counter;
  readonly rejected: Counter;
  readonly receivedBytes: Counter;
  readonly projectRecords: Counter;
  readonly ackDuration: Histogram;
  readonly spoolSyncDuration: Histogram;
  readonly storeRows: Counter;
  readonly insertDuration: Histogram;
  readonly batchRetries: Counter;
  readonly quarantinedRows: Counter;
  readonly verdicts: Counter;
  readonly verdictLag: Histogram;
  readonly gaps: Counter;
  readonly gapTime: Counter;
}

export function createInstruments(meter: Meter): Instruments {
  const counter = ({ name, unit, description }: MetricDefinition): Counter =>
    meter.createCounter(name, { unit, description });
  const histogram = ({ name, unit, description }: MetricDefinition): Histogram =>
    meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: DURATION_BOUNDS } });
  return {
    requests: counter(SELF_METRICS.requests),
    records: counter(SELF_METRICS.records),
    rejected: counter(SELF_METRICS.rejected),
    receivedBytes: counter(SELF_METRICS.receivedBytes),
    projectRecords: counter(SELF_METRICS.projectRecords),
    ackDuration: histogram(SELF_METRICS.ackDuration),
    spoolSyncDuration: histogram(SELF_METRICS.spoolSyncDuration),
    storeRows: counter(SELF_METRICS.storeRows),
    insertDuration: histogram(SELF_METRICS.insertDuration),
    batchRetries: counter(SELF_METRICS.batchRetries),
    quarantinedRows: counter(SELF_METRICS.quarantinedRows),
    verdicts: counter(SELF_METRICS.verdicts),
    verdictLag: histogram(SELF_METRICS.verdictLag),
    gaps: counter(SELF_METRICS.gaps),
    gapTime: counter(SELF_METRICS.gapTime),
  };
}
