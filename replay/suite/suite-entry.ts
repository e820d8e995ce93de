import type { Fixture } from "../fixture/fixture-format.ts";
import type { ReplayResult } from "../worker/replay-result.ts";

/** A fixture's state as its file claims it, without looking at the repository or the clock. */
export type ClaimedState = Fixture["notes"]["state"];

/**
 * How a suite sees one fixture.
 * - `passed`: the replay ended with a required status. - `failed`: a finding. - `inconclusive`: nothing is proven either way.
 * - `errored`: the agent could not be run. - `no_wall`: strict mode, which is not available on this machine.
 * - `refused`: the fixture cannot be read. - `skipped`: not replayed.
 */
export const SUITE_STATUSES = ["passed", "failed", "inconclusive", "errored", "no_wall", "refused", "skipped"] as const;
export type SuiteStatus = (typeof SUITE_STATUSES)[number];

export interface SuiteEntry {
  readonly fixtureId: string;
  /** The fixture's folder. */
  readonly path: string;
  readonly agentName: string;
  readonly state: ClaimedState | "unreadable";
  readonly status: SuiteStatus;
  /** Why, in a sentence. */
  readonly explanation: string;
  /** `null` when there was no replay. */
  readonly result: ReplayResult | null;
  readonly durationMillis: number;
}

/** A certificate is a proof; a state that only says so is a claim of whoever wrote the file. */
export function claimedState({ state, certification, retirement }: Fixture["notes"]): ClaimedState {
  if (retirement !== undefined) return "retired";
  return state === "certified" && certification === null ? "candidate" : state;
}

/**
 * What a replay means for the suite. A pass of a stale or flaky fixture proves nothing (spec C4: stale is unknown, never
 * green); a failure of any fixture is a finding.
 */
export function judgedEntry(state: ClaimedState, result: ReplayResult): Pick<SuiteEntry, "status" | "explanation"> {
  const { outcome, explanation } = result;
  switch (outcome) {
    case "fixed":
      return state === "stale" || state === "flaky"
        ? {
            status: "inconclusive",
            explanation: `${explanation}; but the fixture is ${state}, so its pass proves nothing`,
          }
        : { status: "passed", explanation };
    case "reproduced":
      return { status: "failed", explanation: `${REPRODUCED[state]}: ${explanation}` };
    case "diverged":
      return { status: "failed", explanation };
    case "inconclusive":
      return { status: "inconclusive", explanation };
    case "errored":
      return { status: "errored", explanation };
    case "refused":
      return { status: "no_wall", explanation };
  }
}

const REPRODUCED: Record<ClaimedState, string> = {
  candidate: "the candidate's failure reproduces",
  certified: "the failure this certified fixture guards against is back",
  flaky: "the failure reproduces, of a fixture that is flaky",
  stale: "the failure reproduces, of a fixture that is stale",
  retired: "the failure reproduces, of a fixture that is retired",
};
