import type { Shard } from "../suite/shard.ts";
import type { RoundReport } from "./round.ts";
import type { Tier } from "./tier.ts";

export interface RoundContext {
  readonly tier: Tier;
  readonly shard: Shard;
  readonly exitCode: number;
}

/** The one document of `--json`. */
export const canaryJson = (report: RoundReport, { tier, shard, exitCode }: RoundContext) => ({
  exit_code: exitCode,
  tier: tier.name,
  round_id: report.roundId,
  shard: `${shard.index}/${shard.count}`,
  complete: report.complete,
  counts: report.counts,
  /** Of the whole tier, in other shards too. */
  fixture_ids: report.fixtureIds,
  unsent_events: report.unsent,
  problem: report.problem,
  unstored_runs: report.unstored,
  fixtures: report.results.map((it) => ({
    fixture_id: it.fixtureId,
    agent_name: it.agentName,
    state: it.state,
    protects: it.protects,
    outcome: it.outcome,
    explanation: it.explanation,
    run_id: it.run?.runId ?? null,
    stored: it.stored,
    duration_ms: Math.round(it.durationMillis),
  })),
});
