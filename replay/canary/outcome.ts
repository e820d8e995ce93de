import type { LifeCycleState } from "../certify/life-cycle.ts";
import type { ReplayOutcome } from "../worker/replay-result.ts";

/** Only `passing` is green (spec C4). */
export const CANARY_OUTCOMES = ["passing", "failing", "stale", "unknown"] as const;
export type CanaryOutcome = (typeof CANARY_OUTCOMES)[number];

/** A fixture's state before its replay. */
export type CanaryState = LifeCycleState | "unreadable";

/** How a fixture's replay ended. `timed_out`: it was killed. `none`: there was no replay to judge. */
export type CanaryReplay = ReplayOutcome | "timed_out" | "none";

/**
 * What a fixture shows now. Pure. A pass counts only of a fixture that means something; a failure that comes back counts
 * also of one whose proof has moved on. A flaky fixture's failures are no more a finding than its passes.
 */
export function canaryOutcome(state: CanaryState, replay: CanaryReplay): CanaryOutcome {
  switch (state) {
    case "candidate":
    case "certified":
      if (replay === "fixed") return "passing";
      return replay === "reproduced" || replay === "diverged" ? "failing" : "unknown";
    case "stale":
      return replay === "reproduced" ? "failing" : "stale";
    case "flaky":
      return "stale";
    case "retired":
    case "unreadable":
      return "unknown";
  }
}
