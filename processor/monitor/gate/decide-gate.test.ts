import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { monitorFigures } from "../figures.ts";
import { alertRow, canaryResult, canaryRound, reading } from "../testing/samples.ts";
import { decideGate } from "./decide-gate.ts";
import { GATE_CODES, type GateCode } from "./gate-codes.ts";
import { type GateInput, type GatePolicy, STRICT_POLICY } from "./gate-input.ts";
import type { GateOverride } from "./override.ts";

const NOW = 1_030_000;
const figuresOf = (changes: Parameters<typeof reading>[0] = {}, now = NOW) => monitorFigures(reading(changes), now);
const green = (changes: Partial<GateInput> = {}): GateInput => ({
  lifecycle: "running",
  startedAt: 0,
  monitor: { figures: figuresOf(), intervalMillis: 15_000, problem: undefined, alerting: undefined },
  store: { up: true, problem: undefined },
  spool: { writable: true, share: 0.1 },
  watchdog: { lastScanAt: NOW - 1_000, scanMillis: 1_000, quietMillis: 60_000 },
  scope: "none",
  overrides: [],
  ...changes,
});
const withFigures = (changes: Parameters<typeof reading>[0]): GateInput =>
  green({ monitor: { ...green().monitor!, figures: figuresOf(changes) } });
const codes = (input: GateInput, policy: GatePolicy = STRICT_POLICY, now = NOW): GateCode[] => {
  const { open, reasons } = decideGate(input, policy, now);
  expect(open).toBe(reasons.length === 0);
  return [...new Set(reasons.map(({ code }) => code))];
};

const run = { project: "shop", status: "failed", abandoned: false, promised: true, runs: 1 };
const scope = { enforced: true, synced: true, authorized: true, message: "" };

describe("the gate", () => {
  it("is open when everything is proven and fresh", () => {
    expect(codes(green())).toEqual([]);
    expect(codes(green({ scope }))).toEqual([]);
  });

  it.each<[string, GateInput, GateCode[]]>([
    ["it starts", green({ lifecycle: "starting" }), ["starting"]],
    ["it stops", green({ lifecycle: "draining" }), ["stopping"]],
    ["there is no monitor", green({ monitor: undefined }), ["monitor_silent", "no_fixtures"]],
    [
      "the monitor's figures are older than two of its intervals",
      green({ monitor: { ...green().monitor!, intervalMillis: 4_000 } }),
      ["monitor_silent"],
    ],
    [
      "the monitor's figures are from the future",
      green({ monitor: { ...green().monitor!, figures: { ...figuresOf(), read_at: NOW + 60_000 } } }),
      ["monitor_silent"],
    ],
    ["alerts do not go out", green({ monitor: { ...green().monitor!, alerting: "full" } }), ["alerting_failed"]],
    ["the store is not known", green({ store: undefined }), ["store_unavailable"]],
    ["the store is down", green({ store: { up: false, problem: undefined } }), ["store_unavailable"]],
    [
      "the monitor could not read the store",
      green({ monitor: { ...green().monitor!, problem: "refused" } }),
      ["store_unavailable"],
    ],
    ["the spool is not known", green({ spool: undefined }), ["spool_unavailable"]],
    ["the spool cannot be written", green({ spool: { writable: false, share: 0 } }), ["spool_unavailable"]],
    ["the spool is full", green({ spool: { writable: true, share: 0.95 } }), ["spool_full"]],
    ["the spool's share is no number", green({ spool: { writable: true, share: Number.NaN } }), ["spool_full"]],
    ["there is no watchdog", green({ watchdog: undefined }), ["watchdog_silent"]],
    [
      "the watchdog is silent",
      green({ watchdog: { lastScanAt: NOW - 11_000, scanMillis: 1_000, quietMillis: 0 } }),
      ["watchdog_silent"],
    ],
    [
      "the watchdog never looked, long after the start",
      green({ watchdog: { lastScanAt: null, scanMillis: 1_000, quietMillis: 60_000 } }),
      ["watchdog_silent"],
    ],
    ["the scope is not known", green({ scope: undefined }), ["scope_drift"]],
    ["the scope has drifted, enforced", green({ scope: { ...scope, synced: false } }), ["scope_drift"]],
    ["the scope is not authorised, enforced", green({ scope: { ...scope, authorized: false } }), ["scope_drift"]],
    ["no canary was heard of", withFigures({ rounds: [], results: [] }), ["no_fixtures"]],
    ["a round lists no fixture", withFigures({ rounds: [canaryRound({ fixtures: [] })] }), ["no_fixtures"]],
    ["only candidates pass", withFigures({ results: [canaryResult({ fixture_state: "candidate" })] }), ["no_fixtures"]],
    ["no round has ended", withFigures({ rounds: [canaryRound({ ended_at: 0 })] }), ["canary_silent"]],
    ["a fixture fails", withFigures({ results: [canaryResult({ outcome: "failing" })] }), ["fixture_failing"]],
    [
      "a candidate fails",
      withFigures({ results: [canaryResult({ outcome: "failing", fixture_state: "candidate" })] }),
      ["fixture_failing"],
    ],
    ["a fixture is stale", withFigures({ results: [canaryResult({ outcome: "stale" })] }), ["fixture_stale"]],
    ["a fixture is unknown", withFigures({ results: [canaryResult({ outcome: "" })] }), ["fixture_unknown"]],
    ["a listed fixture has no result", withFigures({ results: [] }), ["fixture_unknown"]],
    ["runs were abandoned", withFigures({ runs: [{ ...run, abandoned: true }] }), ["runs_abandoned"]],
    ["claims are not verified", withFigures({ runs: [{ ...run, status: "inconclusive" }] }), ["claims_unverified"]],
    ["an alert fires", withFigures({ alerts: [alertRow()] }), ["alert_open"]],
  ])("is closed when %s", (_name, input, expected) => {
    expect(codes(input)).toEqual(expected);
  });

  it("stays open for drift that is only observed, and for tiers that do not count", () => {
    expect(codes(green({ scope: { ...scope, enforced: false, synced: false } }))).toEqual([]);
    const broad = { tier: "broad", round_id: "broad:1" };
    const input = withFigures({
      rounds: [canaryRound(), canaryRound(broad)],
      results: [canaryResult(), canaryResult({ ...broad, outcome: "failing" })],
    });
    expect(codes(input)).toEqual([]);
    expect(codes(input, { ...STRICT_POLICY, tiers: ["critical", "broad"] })).toEqual(["fixture_failing"]);
  });

  it("closes by silence alone, two intervals after the last round", () => {
    const open = green({ watchdog: { lastScanAt: NOW + 2e6, scanMillis: 1e9, quietMillis: 0 } });
    const later = NOW + 31 * 60_000;
    const figures = monitorFigures(reading({ readAt: later }), later);
    const silent = { ...open, watchdog: { ...open.watchdog!, lastScanAt: later } };
    expect(codes({ ...silent, monitor: { ...green().monitor!, figures } }, STRICT_POLICY, later)).toEqual([
      "canary_silent",
      "fixture_stale",
    ]);
  });

  it("says that it starts, and then that nobody looks", () => {
    const young = green({
      startedAt: NOW - 20_000,
      monitor: { ...green().monitor!, figures: undefined },
      watchdog: { lastScanAt: null, scanMillis: 1_000, quietMillis: 60_000 },
    });
    expect(codes(young)).toEqual(["starting", "no_fixtures"]);
    expect(codes(young, STRICT_POLICY, NOW + 120_000)).toEqual(["monitor_silent", "watchdog_silent", "no_fixtures"]);
  });

  it("puts up with what the policy says, and with no more", () => {
    const input = withFigures({
      alerts: [alertRow()],
      runs: [
        { ...run, abandoned: true, runs: 2 },
        { ...run, status: "inconclusive", runs: 3 },
      ],
    });
    const lax = { ...STRICT_POLICY, alertsClose: false, maxAbandonedRuns: 2, maxUnverifiedRuns: 3 };
    expect(codes(input, lax)).toEqual([]);
    expect(codes(input, { ...lax, maxAbandonedRuns: 1 })).toEqual(["runs_abandoned"]);
    expect(codes(withFigures({ rounds: [], results: [] }), { ...STRICT_POLICY, allowNoFixtures: true })).toEqual([]);
  });

  it("is closed with any field of its input missing, at any depth", () => {
    const input = green({ scope });
    const paths = pathsOf(input as unknown as Tree, "").filter((path) => !ONLY_TOLD.test(path));
    expect(paths.length).toBeGreaterThan(25);
    for (const path of paths) {
      const without = deleted(input as unknown as Tree, path.split(".")) as unknown as GateInput;
      expect(opens(without), `without ${path}`).toBe(false);
    }
  });

  it("is open for no mixture of silent parts", () => {
    const maybe = <Key extends keyof GateInput>(key: Key) => fc.constantFrom(green({ scope })[key], undefined);
    const inputs = fc.record({
      lifecycle: maybe("lifecycle"),
      monitor: maybe("monitor"),
      store: maybe("store"),
      spool: maybe("spool"),
      watchdog: maybe("watchdog"),
      scope: maybe("scope"),
    });
    fc.assert(
      fc.property(inputs, (parts) => {
        const complete = Object.values(parts).every((part) => part !== undefined);
        expect(decideGate({ ...green(), ...parts }, STRICT_POLICY, NOW).open).toBe(complete);
      }),
    );
  });
});

/** What explains a decision and does not make it; the problems are there only where something is wrong. */
const ONLY_TOLD =
  /^(overrides|startedAt|scope\.message|store\.problem|watchdog\.quietMillis|monitor\.(problem|alerting)|monitor\.figures\.(gaps|silent_windows|runs\.(window_seconds|by_status)|tiers\.0\.(project|fixtures\.0\.(fixture_id|why|observed_at|agent_name|protects|run_id))))$/;

type Tree = { [key: string]: Tree };

function pathsOf(tree: Tree, prefix: string): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    return [path, ...(typeof value === "object" && value !== null ? pathsOf(value, `${path}.`) : [])];
  });
}

function deleted(tree: Tree, [first = "", ...rest]: readonly string[]): Tree {
  const copy = (Array.isArray(tree) ? [...(tree as unknown as Tree[])] : { ...tree }) as Tree;
  if (rest.length === 0) {
    if (Array.isArray(copy)) (copy as unknown as Tree[]).splice(Number(first), 1);
    else delete copy[first];
  } else copy[first] = deleted(copy[first]!, rest);
  return copy;
}

/** An input that is no input may also make it throw: the endpoint answers that with an error, which opens nothing. */
function opens(input: GateInput): boolean {
  try {
    return decideGate(input, STRICT_POLICY, NOW).open;
  } catch {
    return false;
  }
}

describe("an override", () => {
  const override = (changes: Partial<GateOverride> = {}): GateOverride => ({
    id: "o-1",
    codes: ["fixture_failing"],
    reason: "known",
    by: "ann",
    created_at: NOW - 1_000,
    expires_at: NOW + 1_000,
    ...changes,
  });
  const failing = canaryResult({ outcome: "failing" });
  const two = {
    rounds: [canaryRound({ fixtures: ["one", "two"] })],
    results: [failing, { ...failing, fixture_id: "two" }],
  };
  const closed = (overrides: GateOverride[]) => ({ ...withFigures(two), overrides });

  it("opens the gate for the reasons it names, and says so", () => {
    const decision = decideGate(closed([override()]), STRICT_POLICY, NOW);
    expect(decision).toMatchObject({ open: true, reasons: [], overrides: [{ id: "o-1" }] });
    expect(decision.overridden.map(({ override_id }) => override_id)).toEqual(["o-1", "o-1"]);
  });

  it("leaves other fixtures closed when it is for one", () => {
    const { open, reasons } = decideGate(closed([override({ fixture: "one" })]), STRICT_POLICY, NOW);
    expect(open).toBe(false);
    expect(reasons.map(({ details }) => details["fixture_id"])).toEqual(["two"]);
  });

  it.each([
    ["has expired", { expires_at: NOW }],
    ["was taken back", { revoked_at: NOW - 1 }],
    ["is not in force yet", { created_at: NOW + 1 }],
  ])("does nothing when it %s", (_name, changes) => {
    expect(decideGate(closed([override(changes)]), STRICT_POLICY, NOW)).toMatchObject({ open: false, overrides: [] });
  });

  it("never covers a code it does not name: silence of the monitor or the store least of all", () => {
    const one = override({
      codes: GATE_CODES.filter((code) => !["monitor_silent", "store_unavailable"].includes(code)),
    });
    const input = { ...closed([one]), store: undefined, monitor: undefined };
    expect(codes(input)).toEqual(["monitor_silent", "store_unavailable"]);
  });
});
