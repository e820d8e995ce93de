import type { ReplayOutcome } from "./replay-result.ts";

/**
 * Exit codes of every verb. A stable contract (the same meanings as in ESLint and the eval tools of this field):
 * 1 is a finding of a tool that worked, 2 and 3 say that it could not.
 */
export const EXIT = {
  ok: 0,
  /** The failure reproduced or the replay diverged; a run cannot become a fixture. */
  finding: 1,
  /** Wrong usage or configuration, or a fixture that is refused. */
  usage: 2,
  /** The store cannot be reached, or the agent could not be run. */
  environment: 3,
  /** The evidence is not enough to say. */
  inconclusive: 4,
  /** Strict mode is not available on this machine: no wall stands, and no code of the agent was started. */
  noWall: 5,
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0    ok; a replay ended with a required status
  1    a finding: the failure reproduced, the replay diverged, or a run cannot become a fixture
  2    wrong usage or configuration, or a refused fixture
  3    the environment failed: no store, or the agent could not be run
  4    inconclusive: the evidence is not enough to say
  5    strict mode is not available on this machine; no code of the agent was started
  130  interrupted`;

const BY_OUTCOME: Record<ReplayOutcome, number> = {
  fixed: EXIT.ok,
  reproduced: EXIT.finding,
  diverged: EXIT.finding,
  errored: EXIT.environment,
  inconclusive: EXIT.inconclusive,
  refused: EXIT.noWall,
};

export const exitCodeOf = (outcome: ReplayOutcome): number => BY_OUTCOME[outcome];
