import type { Example, Scenario } from "../scenarios/scenario.ts";
import { type PagerOptions, startPager } from "./pager.ts";
import { createWatcher, type SeenFailure, type WatchWays } from "./watcher.ts";
import { alertsOncePerClass, alertsOncePerRun, losesRefused, resolvesSameService } from "./ways.ts";

const FAILURES: readonly SeenFailure[] = [
  { run: "run-1", service: "checkout", failureClass: "missing_artifact_ref" },
  { run: "run-2", service: "checkout", failureClass: "side_effect_repeated" },
  { run: "run-3", service: "search", failureClass: "missing_artifact_ref" },
];

const scenario = (
  name: string,
  ways: WatchWays,
  { about, expected, ...options }: Pick<Scenario, "about" | "expected"> & PagerOptions,
): Scenario => ({
  name,
  about,
  expected,
  play: async (place) => {
    const pager = await startPager(options);
    try {
      return await createWatcher(ways)({ failures: FAILURES, pager: pager.url }, place);
    } finally {
      await pager.close();
    }
  },
});

export const oncallExample: Example = {
  agent: "oncall-agent",
  scenarios: [
    scenario("good", alertsOncePerClass, { about: "two kinds of failure in three runs are two alerts", expected: [] }),
    scenario("good_after_outage", alertsOncePerClass, {
      about: "the pager refuses once and is asked again",
      expected: [],
      refused: 1,
    }),
    scenario("alert_resolved", resolvesSameService, {
      about: "an alert is resolved as a duplicate of another kind of failure",
      expected: ["side_effect_unexpected"],
    }),
    scenario("alert_storm", alertsOncePerRun, {
      about: "one kind of failure wakes people twice",
      expected: ["side_effect_repeated"],
    }),
    scenario("alert_lost", losesRefused, {
      about: "the pager refuses an alert, and it counts as sent",
      expected: ["side_effect_missing"],
      refused: 2,
    }),
  ],
};
