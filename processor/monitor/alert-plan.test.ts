import { describe, expect, it } from "vitest";
import type { BadRuns } from "../clickhouse/monitor-rows.ts";
import { alertId, countedAlert, firingAlert, newsOf, provingCanary, resolvedAlert, troubles } from "./alert-plan.ts";
import { alertRow, canaryResult } from "./testing/samples.ts";

const key = { project: "shop", agent_name: "researcher", failure_class: "missing_artifact", code_version: "v1" };
const bad = (changes: Partial<BadRuns> = {}): BadRuns => ({
  ...key,
  first_bad_run_id: "run-1",
  first_bad_at: 1_000,
  last_bad_run_id: "run-9",
  last_bad_at: 5_000,
  last_received_at: 4_000,
  run_count: 3,
  ...changes,
});

describe("an alert's id", () => {
  it("is the same for the same key and episode, and no other", () => {
    expect(alertId({ ...key, first_bad_at: 1 } as typeof key, 1)).toBe(alertId(key, 1));
    const others = [
      alertId(key, 2),
      alertId({ ...key, code_version: "v2" }, 1),
      alertId({ ...key, project: 'shop","researcher', agent_name: "" }, 1),
      alertId({ ...key, agent_name: "researcherm", failure_class: "issing_artifact" }, 1),
    ];
    expect(new Set([alertId(key, 1), ...others]).size).toBe(5);
    expect(alertId(key, 1)).toMatch(/^alert-[0-9a-f]{32}$/);
  });
});

describe("troubles", () => {
  it("are one for bad runs and a failing canary of the same class and revision", () => {
    const canary = canaryResult({ outcome: "failing" });
    expect(troubles([bad()], [canary])).toEqual([{ key, bad: bad(), canary }]);
    expect(troubles([bad({ code_version: "v2" })], [canary])).toHaveLength(2);
  });

  it("are not what passes, is stale or unknown, is retired, or protects nothing", () => {
    const quiet = [
      canaryResult(),
      canaryResult({ outcome: "stale" }),
      canaryResult({ outcome: "unknown" }),
      canaryResult({ outcome: "failing", fixture_state: "retired" }),
      canaryResult({ outcome: "failing", protects: "" }),
    ];
    expect(troubles([], quiet)).toEqual([]);
  });
});

describe("what there is to tell", () => {
  const resolved = alertRow({ state: "resolved", resolved_at: 10_000 });
  it.each([
    ["a class nobody was told of", { bad: bad() }, [], { kind: "new", episode: 1, since: 0 }],
    ["a class that fires already", { bad: bad() }, [alertRow()], { kind: "more", alert: alertRow() }],
    ["bad runs from before the resolve", { bad: bad() }, [resolved], { kind: "nothing" }],
    [
      "a bad run after the resolve",
      { bad: bad({ last_bad_at: 10_001 }) },
      [resolved],
      { kind: "new", episode: 2, since: 10_000 },
    ],
    [
      "a bad run that came in after the resolve, by a clock that is behind",
      { bad: bad({ last_received_at: 10_001 }) },
      [resolved],
      { kind: "new", episode: 2, since: 10_000 },
    ],
    [
      "a canary that failed before the resolve",
      { canary: canaryResult({ outcome: "failing", observed_at: 9_999 }) },
      [resolved],
      { kind: "nothing" },
    ],
    [
      "a canary that fails after the resolve",
      { canary: canaryResult({ outcome: "failing", observed_at: 10_001 }) },
      [resolved],
      { kind: "new", episode: 2, since: 10_000 },
    ],
    [
      "the newest of several episodes decides",
      { bad: bad() },
      [resolved, alertRow({ episode: 2 })],
      { kind: "more", alert: alertRow({ episode: 2 }) },
    ],
  ] as const)("%s", (_name, trouble, known, expected) => {
    expect(newsOf({ key, ...trouble }, known)).toEqual(expected);
  });
});

describe("an alert", () => {
  it("tells how long nobody knew, from the first bad run to now", () => {
    const alert = firingAlert({ trouble: { key, bad: bad() }, episode: 1, since: 0, runs: bad(), now: 301_000 });
    expect(alert).toMatchObject({
      ...key,
      state: "firing",
      first_bad_run_id: "run-1",
      first_bad_at: 1_000,
      alerted_at: 301_000,
      silent_failure_window_minutes: 5,
      run_count: 3,
    });
  });

  it("never was silent for less than no time, whatever the agents' clocks say", () => {
    const ahead = firingAlert({
      trouble: { key },
      episode: 1,
      since: 0,
      runs: bad({ first_bad_at: 9_000 }),
      now: 1_000,
    });
    expect(ahead.silent_failure_window_minutes).toBe(0);
  });

  it("of a later episode was silent since the one before ended, at most", () => {
    const alert = firingAlert({ trouble: { key }, episode: 2, since: 241_000, runs: bad(), now: 301_000 });
    expect(alert).toMatchObject({ episode: 2, first_bad_at: 241_000, silent_failure_window_minutes: 1 });
  });

  it("begins with the canary where no production run is known", () => {
    const canary = canaryResult({ outcome: "failing", observed_at: 60_000 });
    const alert = firingAlert({ trouble: { key, canary }, episode: 1, since: 0, runs: undefined, now: 120_000 });
    expect(alert).toMatchObject({ first_bad_run_id: "", first_bad_at: 60_000, fixture_id: "one", run_count: 0 });
  });

  it("stays resolved whoever counts on", () => {
    const resolved = resolvedAlert(alertRow(), { by: "ann", reason: "mended", fixtureId: "", now: 5 });
    let counting = alertRow();
    for (let index = 0; index < 100; index++)
      counting = countedAlert(counting, bad({ run_count: 10 + index })) ?? counting;
    expect(counting.version).toBe(101);
    expect(resolved.version).toBeGreaterThan(counting.version);
  });

  it("is not counted again when nothing has happened", () => {
    expect(countedAlert(alertRow({ run_count: 3, last_bad_at: 5_000 }), bad())).toBeUndefined();
  });
});

describe("the canary that proves a class mended", () => {
  const alert = alertRow({ last_bad_at: 999_999 });
  it.each([
    ["certified, passing, of a round after the last bad run", [canaryResult()], true],
    ["none at all", [], false],
    ["of a round that was due before the last bad run", [canaryResult({ slot: 999_999 })], false],
    [
      "with a slot that lies in the future of its own result",
      [canaryResult({ slot: 2e12, observed_at: 999_000 })],
      false,
    ],
    ["of a candidate, which proves nothing", [canaryResult({ fixture_state: "candidate" })], false],
    ["stale", [canaryResult({ outcome: "stale" })], false],
    ["of another class", [canaryResult({ protects: "timeout" })], false],
    ["of another agent", [canaryResult({ agent_name: "other" })], false],
    ["of another project", [canaryResult({ project: "other" })], false],
    [
      "with another one of the class that fails",
      [canaryResult(), canaryResult({ fixture_id: "two", outcome: "failing" })],
      false,
    ],
    [
      "with a retired one of the class that failed",
      [canaryResult(), canaryResult({ fixture_id: "two", outcome: "failing", fixture_state: "retired" })],
      true,
    ],
  ])("%s", (_name, results, proves) => {
    expect(provingCanary(alert, results) !== undefined).toBe(proves);
  });
});
