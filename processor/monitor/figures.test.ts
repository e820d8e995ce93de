import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countOutcomes, monitorFigures, readingOfProject } from "./figures.ts";
import { alertRow, canaryResult, canaryRound, MINUTE, reading } from "./testing/samples.ts";

const NOW = 1_030_000;
const tierOf = (changes: Parameters<typeof reading>[0], now = NOW) => monitorFigures(reading(changes), now).tiers[0];
const fixtureOf = (changes: Parameters<typeof reading>[0], now = NOW) => tierOf(changes, now)?.fixtures[0];

describe("a fixture", () => {
  it.each([
    ["passes", {}, "passing"],
    ["passes as a candidate, which is told with it", { fixture_state: "candidate" }, "passing"],
    ["fails", { outcome: "failing" }, "failing"],
    ["is stale by its state, whatever its replay said", { fixture_state: "stale" }, "stale"],
    ["is stale by what was told", { outcome: "stale" }, "stale"],
    ["is unknown when it is flaky", { fixture_state: "flaky" }, "unknown"],
    ["is unknown when it has no state", { fixture_state: "" }, "unknown"],
    ["is unknown when it is unreadable", { fixture_state: "unreadable" }, "unknown"],
    ["is unknown by an outcome nobody knows", { outcome: "PASSING" }, "unknown"],
    ["is unknown without an outcome", { outcome: "" }, "unknown"],
  ])("%s", (_name, changes, outcome) => {
    expect(fixtureOf({ results: [canaryResult(changes)] })?.outcome).toBe(outcome);
  });

  it("is stale when two intervals pass in silence, and not before", () => {
    const { observed_at } = canaryResult();
    expect(fixtureOf({}, observed_at + 30 * MINUTE)?.outcome).toBe("passing");
    expect(fixtureOf({}, observed_at + 30 * MINUTE + 1)?.outcome).toBe("stale");
  });

  it("is unknown when a round lists it and nothing was ever heard", () => {
    expect(fixtureOf({ results: [] })).toMatchObject({ fixture_id: "one", outcome: "unknown" });
  });

  it("is unknown when the newest complete round ended without it", () => {
    const round = canaryRound({ round_id: "critical:2", ended_at: 1_020_000 });
    expect(fixtureOf({ rounds: [round, canaryRound()] })?.outcome).toBe("unknown");
  });

  it("keeps its result while the next round is under way", () => {
    const started = { round_id: "critical:2", started_at: 1_020_000, ended_at: 0, ended_shards: [] };
    expect(fixtureOf({ rounds: [canaryRound(started), canaryRound()] })?.outcome).toBe("passing");
    const half = { ...started, ended_at: 1_021_000, ended_shards: ["1/2"] };
    expect(fixtureOf({ rounds: [canaryRound(half), canaryRound()] })?.outcome).toBe("passing");
  });

  it("is gone when it is retired, or no longer of the tier", () => {
    expect(tierOf({ results: [canaryResult({ fixture_state: "retired" })] })?.fixtures).toEqual([]);
    expect(tierOf({ rounds: [canaryRound({ fixtures: ["two"] })] })?.fixtures).toMatchObject([
      { fixture_id: "two", outcome: "unknown" },
    ]);
  });

  it.each([0, -1, Number.NaN, 1e300, Infinity])(
    "is unknown in a tier that runs every %s seconds",
    (interval_seconds) => {
      expect(fixtureOf({ rounds: [canaryRound({ interval_seconds })] })?.outcome).toBe("unknown");
    },
  );

  it("is never passing without a passing result within two intervals", () => {
    const outcome = fc.constantFrom("passing", "failing", "stale", "unknown", "", "x");
    const state = fc.constantFrom("certified", "candidate", "flaky", "stale", "retired", "unreadable", "");
    const age = fc.integer({ min: 0, max: 100 * MINUTE });
    const interval = fc.integer({ min: -10, max: 3_600 });
    fc.assert(
      fc.property(outcome, state, age, interval, (told, fixture_state, old, interval_seconds) => {
        const result = canaryResult({ outcome: told, fixture_state, observed_at: NOW - old, interval_seconds });
        const figure = fixtureOf({ rounds: [canaryRound({ interval_seconds })], results: [result] });
        if (figure?.outcome !== "passing") return;
        expect(told).toBe("passing");
        expect(["certified", "candidate"]).toContain(fixture_state);
        expect(old).toBeLessThanOrEqual(2 * interval_seconds * 1_000);
      }),
    );
  });
});

describe("a tier", () => {
  it("is complete when all its shards have ended", () => {
    const ended = (ended_shards: string[]) => tierOf({ rounds: [canaryRound({ ended_shards })] })?.round_ended_at;
    expect(ended(["1/2", "2/2"])).toBe(1_010_000);
    expect(ended(["1/1"])).toBe(1_010_000);
    for (const shards of [["1/2"], [], ["x"], ["1/0"], ["1/999999"]]) expect(ended(shards)).toBeNull();
  });

  it("has what was replayed where no round was heard", () => {
    expect(tierOf({ rounds: [] })).toMatchObject({ round_ended_at: null, fixtures: [{ outcome: "unknown" }] });
  });

  it("takes results of named projects where its rounds name none", () => {
    const figures = monitorFigures(reading({ rounds: [canaryRound({ project: "" })] }), NOW);
    expect(figures.tiers).toMatchObject([{ project: "", fixtures: [{ outcome: "passing" }] }]);
  });

  it("of one project has what rounds without a project list, but for what is another's", () => {
    const rounds = [canaryRound({ project: "", fixtures: ["one", "theirs", "unheard"] })];
    const results = [canaryResult(), canaryResult({ project: "bank", fixture_id: "theirs", outcome: "failing" })];
    const { tiers } = monitorFigures(readingOfProject(reading({ rounds, results }), "shop"), NOW);
    expect(tiers.flatMap((tier) => tier.fixtures).map((one) => [one.fixture_id, one.outcome])).toEqual([
      ["one", "passing"],
      ["unheard", "unknown"],
    ]);
  });

  it("is apart for each project, and counted by outcome", () => {
    const rounds = [canaryRound({ fixtures: ["one", "two"] }), canaryRound({ project: "bank", fixtures: ["one"] })];
    const results = [canaryResult(), canaryResult({ project: "bank", outcome: "failing" })];
    const { tiers } = monitorFigures(reading({ rounds, results }), NOW);
    expect(tiers.map((tier) => [tier.project, countOutcomes(tier)])).toEqual([
      ["bank", { passing: 0, failing: 1, stale: 0, unknown: 0 }],
      ["shop", { passing: 1, failing: 0, stale: 0, unknown: 1 }],
    ]);
    expect(monitorFigures(readingOfProject(reading({ rounds, results }), "bank"), NOW).tiers).toHaveLength(1);
  });
});

describe("the figures", () => {
  it("count runs by status, those abandoned, and those that promised and proved nothing", () => {
    const count = { project: "shop", abandoned: false, promised: true };
    const runs = [
      { ...count, status: "passed", runs: 5 },
      { ...count, status: "failed", runs: 2 },
      { ...count, status: "failed", abandoned: true, runs: 3 },
      { ...count, status: "inconclusive", runs: 4 },
      { ...count, status: "inconclusive", promised: false, runs: 7 },
      { ...count, status: "__proto__", runs: 1 },
    ];
    const figures = monitorFigures(reading({ runs }), NOW).runs;
    expect(figures).toMatchObject({ abandoned: 3, unverified: 4 });
    expect(figures.by_status).toMatchObject({ passed: 5, failed: 5, inconclusive: 11 });
  });

  it("tell the silent window of the newest alert of each class and revision, and the alerts that fire", () => {
    const old = alertRow({ alert_id: "a", state: "resolved", alerted_at: 1, silent_failure_window_minutes: 9 });
    const alerts = [old, alertRow({ alert_id: "b", alerted_at: 2 }), alertRow({ alert_id: "c", code_version: "v2" })];
    const figures = monitorFigures(reading({ alerts }), NOW);
    expect(figures.silent_windows.map(({ alert_id, minutes }) => [alert_id, minutes])).toEqual([
      ["b", 1.5],
      ["c", 1.5],
    ]);
    expect(figures.alerts.map(({ alert_id }) => alert_id)).toEqual(["b", "c"]);
  });
});
