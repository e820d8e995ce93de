import { describeMiss } from "../cassette/describe-miss.ts";
import type { PlayerReport } from "../cassette/player.ts";
import type { ChildRun } from "../sandbox/run-child.ts";
import { describeAttempt } from "../sandbox/strict/attempt.ts";

/**
 * What a strict replay tried that no recording covers: operations the wall refused and calls the cassette had no answer
 * for. `undefined` in other modes, which keep no ledger.
 */
export function unrecordedOperations(
  { strict }: Pick<ChildRun, "strict">,
  { misses }: Pick<PlayerReport, "misses">,
): readonly string[] | undefined {
  if (strict === undefined) return undefined;
  const attempts = strict.attempts.filter((attempt) => attempt.counts).map(describeAttempt);
  const more = strict.isFull ? ["more than the ledger holds"] : [];
  const faults = strict.faults.map((fault) => `the ledger failed: ${fault}`);
  return [...new Set([...attempts, ...misses.map(describeMiss), ...more, ...faults])];
}
