import type { RunFacts } from "../evidence/run-facts.ts";

/** The rank of a run that the watchdog closed and nothing else has spoken for since. */
export const RANK_ABANDONED = 1;

/**
 * How much is known about a run's end. A later fact may raise the rank, nothing lowers it; together with the number of
 * facts it is the version of a verdict, so that the same facts give the same version on every machine, whatever its clock.
 * 5 is kept for a person's override.
 */
export function evidenceRank(facts: RunFacts): number {
  const { phase, closing } = facts.evidence;
  if (phase === "open") return 0;
  if (phase === "abandoned") return RANK_ABANDONED;
  const artifacts = closing?.artifacts ?? [];
  const referenced = artifacts.length > 0 || facts.evidence.toolCalls.some((call) => call.reference !== null);
  const checked =
    artifacts.some((artifact) => artifact.state !== "unchecked") ||
    (closing?.verification ?? null) !== null ||
    (closing?.state ?? null) !== null;
  return checked ? 4 : referenced ? 3 : 2;
}

const FACTS_PER_RANK = 2 ** 32;

/** A safe integer: rank first, then the number of facts. */
export const verdictVersion = (rank: number, factCount: number): number =>
  rank * FACTS_PER_RANK + Math.min(factCount, FACTS_PER_RANK - 1);
