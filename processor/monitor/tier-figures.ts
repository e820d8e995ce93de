import type { CanaryResult, CanaryRound } from "../clickhouse/monitor-rows.ts";

/** Only the first is green. */
export type FixtureOutcome = "passing" | "failing" | "stale" | "unknown";

/** What a fixture proves now. */
export interface FixtureFigure {
  readonly fixture_id: string;
  readonly outcome: FixtureOutcome;
  /** Life-cycle state as the sender told it; `''` when nothing was heard. */
  readonly state: string;
  readonly why: string;
  /** Of the newest result, milliseconds since the epoch. */
  readonly observed_at: number | null;
  readonly agent_name: string;
  readonly protects: string;
  readonly run_id: string;
}

/** A tier of one project. */
export interface TierFigures {
  readonly project: string;
  readonly tier: string;
  /** Seconds between rounds; 0 when nobody told. */
  readonly interval_seconds: number;
  /** When the newest complete round ended, milliseconds since the epoch. */
  readonly round_ended_at: number | null;
  readonly fixtures: readonly FixtureFigure[];
}

/** What was heard of a tier: rounds newest first, results one per fixture. */
export interface HeardTier {
  readonly project: string;
  readonly tier: string;
  readonly rounds: readonly CanaryRound[];
  readonly results: readonly CanaryResult[];
}

/** A result proves something for so many intervals of its tier; after that silence has taken it back. */
export const VALID_INTERVALS = 2;
/** A longer interval is no interval: what it holds would never grow stale. */
const MAX_INTERVAL_SECONDS = 32 * 86_400;

export function tierFigures({ project, tier, rounds, results }: HeardTier, now: number): TierFigures {
  const [newest] = rounds;
  const complete = rounds.find(isComplete);
  const interval = intervalOf(newest?.interval_seconds ?? 0);
  const byId = new Map(results.map((result) => [result.fixture_id, result]));
  const inComplete = new Set(complete?.fixtures);
  // Without a round nobody said what belongs to the tier: what was replayed does.
  const ids = newest === undefined ? [...byId.keys()] : newest.fixtures;
  const fixtures = ids.toSorted().flatMap((id) => {
    const figure = fixtureFigure(id, { result: byId.get(id), complete, inComplete, interval, now });
    return figure.state === "retired" ? [] : [figure];
  });
  const round_ended_at = complete?.ended_at ?? null;
  return { project, tier, interval_seconds: interval, round_ended_at, fixtures };
}

const intervalOf = (seconds: number): number => (seconds > 0 && seconds <= MAX_INTERVAL_SECONDS ? seconds : 0);

/** All shards of the round have ended. */
function isComplete({ ended_shards, ended_at }: CanaryRound): boolean {
  if (ended_at === 0) return false;
  const parts = ended_shards.map((shard) => /^(\d{1,6})\/(\d{1,6})$/.exec(shard));
  const counts = parts.map((part) => Number(part?.[2] ?? Number.NaN));
  return ended_shards.length >= Math.max(1, ...counts) && counts.every((count) => count >= 1);
}

interface Known {
  readonly result: CanaryResult | undefined;
  /** The newest round of which all shards have ended, and what it listed. */
  readonly complete: CanaryRound | undefined;
  readonly inComplete: ReadonlySet<string>;
  readonly interval: number;
  readonly now: number;
}

function fixtureFigure(fixture_id: string, known: Known): FixtureFigure {
  const { result } = known;
  if (result === undefined) {
    const nothing = { state: "", observed_at: null, agent_name: "", protects: "", run_id: "" };
    return { fixture_id, outcome: "unknown", why: "no result was heard", ...nothing };
  }
  const { fixture_state: state, observed_at, agent_name, protects, run_id } = result;
  return { fixture_id, ...outcomeOf(result, known), state, observed_at, agent_name, protects, run_id };
}

type Judged = Pick<FixtureFigure, "outcome" | "why">;

function outcomeOf(result: CanaryResult, { complete, inComplete, interval, now }: Known): Judged {
  const seconds = Math.round((now - result.observed_at) / 1_000);
  if (interval === 0) return { outcome: "unknown", why: "nobody told how often the tier runs" };
  if (now - result.observed_at > VALID_INTERVALS * interval * 1_000) {
    return { outcome: "stale", why: `the newest result is ${seconds} s old, and the tier runs every ${interval} s` };
  }
  const passedBy =
    complete !== undefined &&
    complete.round_id !== result.round_id &&
    complete.ended_at > result.observed_at &&
    inComplete.has(result.fixture_id);
  if (passedBy) return { outcome: "unknown", why: `round ${complete.round_id} ended without a result` };
  return toldOutcome(result);
}

/** A passing replay is as good as what is known of the fixture. */
function toldOutcome({ outcome, fixture_state: state, explanation }: CanaryResult): Judged {
  if (outcome === "failing" || outcome === "stale") return { outcome, why: explanation };
  if (outcome !== "passing")
    return { outcome: "unknown", why: explanation || `the outcome was ${outcome || "not told"}` };
  if (state === "certified" || state === "candidate" || state === "retired") return { outcome, why: explanation };
  if (state === "stale") return { outcome: "stale", why: explanation || "the fixture is stale" };
  return { outcome: "unknown", why: `it passed, and the fixture is ${state || "in no known state"}` };
}
