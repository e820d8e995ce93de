import type { AlertRow, CanaryResult, CanaryRound, RunCount } from "../clickhouse/monitor-rows.ts";
import type { MonitorStore } from "../clickhouse/monitor-store.ts";
import type { MonitorGapRow } from "../clickhouse/run-rows.ts";

/** What one look at the store gave. Times are milliseconds since the epoch. */
export interface MonitorReading {
  /** When the look began: nothing in it is younger. */
  readonly readAt: number;
  readonly rounds: readonly CanaryRound[];
  readonly results: readonly CanaryResult[];
  readonly runs: readonly RunCount[];
  /** How far back the runs go, seconds. */
  readonly runWindowSeconds: number;
  /** Those that fire, and those resolved lately. */
  readonly alerts: readonly AlertRow[];
  /** Times of the last day in which no collector was there. */
  readonly gaps: readonly MonitorGapRow[];
}

export interface ReadingOptions {
  readonly now: number;
  readonly runWindowSeconds: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Rounds of the slowest tier that anybody has; a tier that was not heard of for longer is not known. */
const CANARIES_KEPT_MILLIS = 60 * DAY;
const RESOLVED_KEPT_MILLIS = 35 * DAY;
/** A result counts for two intervals; a third tells an old one from none. */
const INTERVALS_READ = 3;

/** One read after the other: a store under load is not asked for everything at once. */
export async function readMonitor(
  store: Pick<MonitorStore, "canariesHeard" | "canaryRounds" | "canaryResults" | "runCounts" | "alerts" | "gapsSince">,
  { now, runWindowSeconds }: ReadingOptions,
): Promise<MonitorReading> {
  const heard = await store.canariesHeard(now - CANARIES_KEPT_MILLIS);
  // From the last sign of life on: what fell silent long ago is to be seen as stale, not to be forgotten.
  const back = Math.min(CANARIES_KEPT_MILLIS, INTERVALS_READ * heard.longest_interval_seconds * 1_000 + HOUR);
  const since = Math.max(now - CANARIES_KEPT_MILLIS, Math.min(now, heard.last_at) - back);
  const rounds = await store.canaryRounds(since);
  const results = await store.canaryResults(since);
  const runs = await store.runCounts(now - runWindowSeconds * 1_000);
  const alerts = await store.alerts(now - RESOLVED_KEPT_MILLIS);
  const gaps = await store.gapsSince(now - DAY);
  return { readAt: now, rounds, results, runs, runWindowSeconds, alerts, gaps };
}
