import type { AlertRow } from "../clickhouse/monitor-rows.ts";
import type { MonitorGapRow } from "../clickhouse/run-rows.ts";
import type { MonitorReading } from "./reading.ts";
import { type FixtureOutcome, type TierFigures, tierFigures } from "./tier-figures.ts";

/** Production runs of the window. */
export interface RunFigures {
  readonly window_seconds: number;
  readonly by_status: Readonly<Record<string, number>>;
  readonly abandoned: number;
  /** They promised something and ended without proof either way. */
  readonly unverified: number;
}

/** From the first bad run of a class and revision to the alert that made it visible. */
export interface SilentWindow extends Pick<AlertRow, "project" | "agent_name" | "failure_class" | "code_version"> {
  readonly alert_id: string;
  readonly minutes: number;
}

/** What the monitor knows. Times are milliseconds since the epoch. */
export interface MonitorFigures {
  readonly read_at: number;
  readonly tiers: readonly TierFigures[];
  readonly runs: RunFigures;
  /** Those that fire. */
  readonly alerts: readonly AlertRow[];
  /** Of the newest alert of each project, agent, class and revision. */
  readonly silent_windows: readonly SilentWindow[];
  /** Times of the last day in which no collector was there. */
  readonly gaps: readonly MonitorGapRow[];
}

/** The figures of one look at the store as they are now: what was heard grows old between two looks. */
export function monitorFigures(reading: MonitorReading, now: number): MonitorFigures {
  const alerts = reading.alerts.filter(({ state }) => state === "firing");
  return {
    read_at: reading.readAt,
    tiers: tiersOf(reading, now),
    runs: runsOf(reading),
    alerts,
    silent_windows: silentWindows(reading.alerts),
    gaps: reading.gaps,
  };
}

/** The same, of one project alone. Of rounds that name no project, all that is not known to be another's. */
export function readingOfProject(reading: MonitorReading, project: string): MonitorReading {
  const own = <Row extends { readonly project: string }>(rows: readonly Row[]): Row[] =>
    rows.filter((row) => row.project === project);
  const { rounds, results, runs, alerts } = reading;
  const ownResults = own(results);
  const nameOf = (tier: string, id: string): string => JSON.stringify([tier, id]);
  const known = new Set(results.map(({ tier, fixture_id }) => nameOf(tier, fixture_id)));
  const ofProject = new Set(ownResults.map(({ tier, fixture_id }) => nameOf(tier, fixture_id)));
  const isForeign = (tier: string, id: string): boolean =>
    known.has(nameOf(tier, id)) && !ofProject.has(nameOf(tier, id));
  const nobodys = rounds
    .filter((round) => round.project === "" && project !== "")
    .map((round) => ({ ...round, fixtures: round.fixtures.filter((id) => !isForeign(round.tier, id)) }));
  const ownRounds = [...own(rounds), ...nobodys];
  return { ...reading, rounds: ownRounds, results: ownResults, runs: own(runs), alerts: own(alerts) };
}

/** How many fixtures of a tier are in each state. */
export function countOutcomes({ fixtures }: TierFigures): Record<FixtureOutcome, number> {
  const counts: Record<FixtureOutcome, number> = { passing: 0, failing: 0, stale: 0, unknown: 0 };
  for (const { outcome } of fixtures) counts[outcome]++;
  return counts;
}

function tiersOf({ rounds, results }: MonitorReading, now: number): TierFigures[] {
  const keyOf = ({ project, tier }: { project: string; tier: string }): string => JSON.stringify([project, tier]);
  const roundsOf = Map.groupBy(rounds, keyOf);
  // Where nobody has to say a project, rounds carry none and results that of the fixture's run.
  const homeOf = (result: { project: string; tier: string }): string => {
    const nobodys = keyOf({ ...result, project: "" });
    return roundsOf.has(keyOf(result)) || !roundsOf.has(nobodys) ? keyOf(result) : nobodys;
  };
  const resultsOf = Map.groupBy(results, homeOf);
  return [...new Set([...roundsOf.keys(), ...resultsOf.keys()])].toSorted().map((key) => {
    const [project, tier] = JSON.parse(key) as [string, string];
    const newestFirst = (roundsOf.get(key) ?? []).toSorted((a, b) => heardAt(b) - heardAt(a));
    return tierFigures({ project, tier, rounds: newestFirst, results: resultsOf.get(key) ?? [] }, now);
  });
}

const heardAt = ({ started_at, ended_at }: { started_at: number; ended_at: number }): number =>
  Math.max(started_at, ended_at);

function runsOf({ runs, runWindowSeconds }: MonitorReading): RunFigures {
  const by_status = Object.create(null) as Record<string, number>;
  let abandoned = 0;
  let unverified = 0;
  for (const count of runs) {
    by_status[count.status] = (by_status[count.status] ?? 0) + count.runs;
    if (count.abandoned) abandoned += count.runs;
    if (count.status === "inconclusive" && count.promised) unverified += count.runs;
  }
  return { window_seconds: runWindowSeconds, by_status: { ...by_status }, abandoned, unverified };
}

function silentWindows(alerts: readonly AlertRow[]): SilentWindow[] {
  const newest = new Map<string, AlertRow>();
  for (const alert of alerts) {
    const key = JSON.stringify([alert.project, alert.agent_name, alert.failure_class, alert.code_version]);
    const other = newest.get(key);
    if (other === undefined || other.alerted_at < alert.alerted_at) newest.set(key, alert);
  }
  return [...newest.values()].map(
    ({ project, agent_name, failure_class, code_version, alert_id, silent_failure_window_minutes: minutes }) => ({
      project,
      agent_name,
      failure_class,
      code_version,
      alert_id,
      minutes,
    }),
  );
}
