import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import type { PlayerReport } from "../cassette/player.ts";
import { describeMiss } from "../cassette/describe-miss.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import type { ReplayOutcome } from "./replay-result.ts";

export interface Comparison {
  readonly outcome: ReplayOutcome;
  readonly explanation: string;
}

/**
 * Compares a replay's verdict with what the fixture requires and with what its source run showed. Pure.
 *
 * A miss outranks every status: from there on the agent met a world that was never recorded, so neither a pass nor
 * the same failure says anything about the code.
 */
export function compareWithFixture(
  fixture: Pick<Fixture, "expected" | "notes">,
  verdict: Verdict,
  cassette: Pick<PlayerReport, "misses">,
): Comparison {
  const [miss] = cassette.misses;
  const codes = codesOf(verdict);
  if (miss !== undefined) {
    const more = cassette.misses.length > 1 ? ` (and ${cassette.misses.length - 1} more)` : "";
    return { outcome: "diverged", explanation: `${describeMiss(miss)}${more}` };
  }
  if (fixture.expected.required_status.includes(verdict.status)) {
    return { outcome: "fixed", explanation: `the run ${verdict.status}, as the fixture requires` };
  }
  const { observed } = fixture.notes;
  if (verdict.status === observed.status && sameSet(codes, observed.reason_codes)) {
    return { outcome: "reproduced", explanation: `the run is ${verdict.status} as recorded: ${codes.join(", ")}` };
  }
  const seen = `${verdict.status} (${codes.join(", ")}), recorded was ${observed.status} (${observed.reason_codes.join(", ")})`;
  if (verdict.status === "inconclusive") return { outcome: "inconclusive", explanation: `the run is ${seen}` };
  return { outcome: "diverged", explanation: `another failure: the run is ${seen}` };
}

const codesOf = (verdict: Verdict): string[] => [...new Set(verdict.reasons.map((reason) => reason.code))].sort();

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  [...new Set(a)].sort().join() === [...new Set(b)].sort().join();
