import { expect, test } from "vitest";
import { type CanaryReplay, canaryOutcome, type CanaryState } from "./outcome.ts";

const REPLAYS = ["fixed", "reproduced", "diverged", "inconclusive", "errored", "refused", "timed_out", "none"] as const;

// One row a state, one column a replay, in the order above: p passing, f failing, s stale, u unknown.
const TABLE: Record<CanaryState, string> = {
  certified: "pffuuuuu",
  candidate: "pffuuuuu",
  stale: "sfssssss",
  flaky: "ssssssss",
  retired: "uuuuuuuu",
  unreadable: "uuuuuuuu",
};

const cells = Object.entries(TABLE).flatMap(([state, row]) =>
  REPLAYS.map((replay, at) => [state as CanaryState, replay as CanaryReplay, row[at]] as const),
);

test.each(cells)("a %s fixture whose replay is %s: %s", (state, replay, outcome) => {
  expect(canaryOutcome(state, replay)[0]).toBe(outcome);
});
