import type { Attributes, Meter, Observable } from "@opentelemetry/api";
import * as semconv from "../../instrumentation/semconv.ts";
import type { TelemetrySources } from "./sources.ts";

const { MONITOR_METRICS, SELF_METRICS } = semconv;

/** Hands over a figure; `undefined` ones are left out. */
type Report = (definition: semconv.MetricDefinition, value: number | undefined, labels?: Attributes) => void;

export interface ObservedFigures {
  readonly sources: TelemetrySources;
  /** Milliseconds. */
  readonly eventLoopDelayP99: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Registers one callback that reads all figures whenever metrics are collected. */
export function observeFigures(meter: Meter, figures: ObservedFigures): void {
  const observables = new Map<semconv.MetricDefinition, Observable>();
  for (const definition of [...Object.values(SELF_METRICS), ...Object.values(MONITOR_METRICS)]) {
    const { name, unit, description, kind } = definition;
    if (kind === "observable_gauge")
      observables.set(definition, meter.createObservableGauge(name, { unit, description }));
    if (kind === "observable_counter") {
      observables.set(definition, meter.createObservableCounter(name, { unit, description }));
    }
  }
  meter.addBatchObservableCallback(
    (result) => {
      report(figures, (definition, value, labels) => {
        const observable = observables.get(definition);
        if (observable !== undefined && value !== undefined) result.observe(observable, value, labels);
      });
    },
    [...observables.values()],
  );
}

function report(figures: ObservedFigures, tell: Report): void {
  const { sources } = figures;
  reportSpool(sources, tell);
  reportRuns(figures, tell);
  reportEngine(sources, tell);
  reportForward(sources, tell);
  for (const { metric, value, labels } of sources.monitor?.() ?? []) tell(metric, value, labels);
  tell(SELF_METRICS.storeUp, flag(sources.storeUp?.()));
  tell(SELF_METRICS.processMemory, process.memoryUsage.rss());
  tell(SELF_METRICS.eventLoopDelay, seconds(figures.eventLoopDelayP99()));
}

function reportSpool({ spool, spoolMaxBytes }: TelemetrySources, tell: Report): void {
  const stats = spool?.();
  if (stats === undefined) return;
  tell(SELF_METRICS.spoolSize, stats.bytes);
  tell(SELF_METRICS.spoolLimit, spoolMaxBytes);
  tell(SELF_METRICS.spoolSegments, stats.segments);
  tell(SELF_METRICS.spoolAge, seconds(stats.oldestRecordAgeMillis ?? 0));
  tell(SELF_METRICS.spoolWritable, flag(stats.writable));
  for (const outcome of ["acknowledged", "full", "failed"] as const) {
    tell(SELF_METRICS.spoolBodies, stats[outcome], { [semconv.LABEL_OUTCOME]: outcome });
  }
  tell(SELF_METRICS.spoolDamaged, stats.quarantined.bytes);
}

function reportRuns({ sources, now }: ObservedFigures, tell: Report): void {
  const runs = sources.runs?.();
  tell(SELF_METRICS.runsOpen, runs?.open);
  tell(SELF_METRICS.runsWaiting, runs?.waiting);
  const watchdog = sources.watchdog?.();
  if (watchdog === undefined || watchdog.lastScanAt === null) return;
  const age = Math.max(0, now() - watchdog.lastScanAt);
  tell(SELF_METRICS.scanAge, seconds(age));
  tell(SELF_METRICS.scanLag, seconds(Math.max(0, age - watchdog.scanMillis)));
}

function reportEngine({ engine }: TelemetrySources, tell: Report): void {
  const stats = engine?.();
  if (stats === undefined) return;
  tell(SELF_METRICS.engineUp, flag(stats.up));
  tell(SELF_METRICS.engineMemory, stats.rssBytes);
  tell(SELF_METRICS.engineStatement, stats.statementMillis === undefined ? undefined : seconds(stats.statementMillis));
  for (const [reason, count] of Object.entries(stats.restarts)) {
    tell(SELF_METRICS.engineRestarts, count, { [semconv.LABEL_REASON]: reason });
  }
}

function reportForward({ forward }: TelemetrySources, tell: Report): void {
  const figures = forward?.();
  if (figures === undefined) return;
  tell(SELF_METRICS.forwardBacklog, figures.backlog.bodies.bytes + figures.backlog.events.bytes);
  for (const signal of ["traces", "logs"] as const) {
    const { sent, rejected, lost } = figures[signal];
    const forwarded = (outcome: string, records: number): void =>
      tell(SELF_METRICS.forwarded, records, { [semconv.LABEL_SIGNAL]: signal, [semconv.LABEL_OUTCOME]: outcome });
    forwarded("taken", sent.records - rejected);
    forwarded("rejected", rejected);
    for (const [reason, { records }] of Object.entries(lost)) forwarded(reason, records);
  }
}

const seconds = (millis: number): number => millis / 1_000;

const flag = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
