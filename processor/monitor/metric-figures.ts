import * as semconv from "../../instrumentation/semconv.ts";
import { type BoundedLabel, createBoundedLabel } from "../telemetry/bounded-label.ts";
import { countOutcomes, type MonitorFigures } from "./figures.ts";
import { GATE_CODES } from "./gate/gate-codes.ts";
import type { GateDecision, GateScope } from "./gate/gate-input.ts";
import { type TierFigures, VALID_INTERVALS } from "./tier-figures.ts";

const { MONITOR_METRICS } = semconv;

/** One value of a metric. */
export interface MetricFigure {
  readonly metric: semconv.MetricDefinition;
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface MeteredMonitor {
  readonly figures: MonitorFigures | undefined;
  readonly intervalMillis: number;
  readonly decision: GateDecision;
  readonly outboxPending: number;
  readonly scope: GateScope | "none" | undefined;
}

export type MetricFigures = (monitor: MeteredMonitor, now: number) => MetricFigure[];

/** Figures that are too old are left out: an absent series is noticed, a number that stands still is not. */
export function createMetricFigures(): MetricFigures {
  const bounds = { agent: createBoundedLabel(), failureClass: createBoundedLabel(), version: createBoundedLabel(200) };
  return (monitor, now) => {
    const { figures, intervalMillis } = monitor;
    const age = figures === undefined ? undefined : now - figures.read_at;
    const fresh = figures !== undefined && age !== undefined && age <= VALID_INTERVALS * intervalMillis;
    return [
      ...gateFigures(monitor),
      ...(age === undefined ? [] : [figure(MONITOR_METRICS.monitorAge, Math.max(0, age) / 1_000)]),
      ...(fresh ? [...tierFigures(figures.tiers, now), ...runFigures(figures), ...alertFigures(figures, bounds)] : []),
    ];
  };
}

const figure = (
  metric: semconv.MetricDefinition,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): MetricFigure => ({ metric, value, labels });

function gateFigures({ decision, outboxPending, scope }: MeteredMonitor): MetricFigure[] {
  const reasons = Map.groupBy(decision.reasons, ({ code }) => code);
  return [
    figure(MONITOR_METRICS.gateOpen, Number(decision.open)),
    figure(MONITOR_METRICS.gateOverrides, decision.overrides.length),
    figure(MONITOR_METRICS.outboxPending, outboxPending),
    ...GATE_CODES.map((code) =>
      figure(MONITOR_METRICS.gateReasons, reasons.get(code)?.length ?? 0, { [semconv.LABEL_CODE]: code }),
    ),
    ...(scope === undefined || scope === "none" ? [] : [figure(MONITOR_METRICS.scopeState, Number(scope.synced))]),
  ];
}

/** Over all projects: the number of tiers is that of the configuration, the number of projects is not. */
function tierFigures(tiers: readonly TierFigures[], now: number): MetricFigure[] {
  return [...Map.groupBy(tiers, ({ tier }) => tier)].slice(0, 50).flatMap(([tier, ofProjects]) => {
    const labels = { [semconv.LABEL_TIER]: tier };
    const counts = ofProjects.map(countOutcomes);
    const sum = (outcome: "passing" | "failing" | "stale" | "unknown"): number =>
      counts.reduce((total, count) => total + count[outcome], 0);
    const oldest = Math.min(...ofProjects.map(({ round_ended_at }) => round_ended_at ?? Number.NaN));
    return [
      figure(MONITOR_METRICS.fixturesPassing, sum("passing"), labels),
      figure(MONITOR_METRICS.fixturesFailing, sum("failing"), labels),
      figure(MONITOR_METRICS.fixturesStale, sum("stale"), labels),
      figure(MONITOR_METRICS.fixturesUnknown, sum("unknown"), labels),
      figure(MONITOR_METRICS.canaryInterval, Math.max(...ofProjects.map((one) => one.interval_seconds)), labels),
      ...(Number.isNaN(oldest) ? [] : [figure(MONITOR_METRICS.canaryAge, Math.max(0, now - oldest) / 1_000, labels)]),
    ];
  });
}

const STATUSES = ["started", "passed", "failed", "blocked", "degraded", "skipped", "inconclusive"];

function runFigures({ runs }: MonitorFigures): MetricFigure[] {
  return [
    ...STATUSES.map((status) =>
      figure(MONITOR_METRICS.runsRecent, runs.by_status[status] ?? 0, { [semconv.LABEL_STATUS]: status }),
    ),
    figure(MONITOR_METRICS.runsAbandoned, runs.abandoned),
  ];
}

type Bounds = Readonly<Record<"agent" | "failureClass" | "version", BoundedLabel>>;

function alertFigures({ alerts, silent_windows }: MonitorFigures, bounds: Bounds): MetricFigure[] {
  const labelsOf = (of: { readonly agent_name: string; readonly failure_class: string }) => ({
    [semconv.LABEL_AGENT]: bounds.agent(of.agent_name),
    [semconv.LABEL_FAILURE_CLASS]: bounds.failureClass(of.failure_class),
  });
  const open = new Map<string, MetricFigure>();
  for (const alert of alerts) {
    const labels = { ...labelsOf(alert), [semconv.LABEL_CODE_VERSION]: bounds.version(alert.code_version) };
    const key = JSON.stringify(labels);
    open.set(key, figure(MONITOR_METRICS.alertsOpen, (open.get(key)?.value ?? 0) + 1, labels));
  }
  const windows = new Map<string, MetricFigure>();
  // Newest first: the first of each agent and class is the one to tell.
  for (const window of silent_windows) {
    const labels = labelsOf(window);
    const key = JSON.stringify(labels);
    if (!windows.has(key)) windows.set(key, figure(MONITOR_METRICS.silentWindow, window.minutes, labels));
  }
  return [...open.values(), ...windows.values()];
}
