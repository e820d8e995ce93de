import { describe, expect, test } from "vitest";
import type { Certificate, CertifiedSide } from "../fixture/certificate-format.ts";
import type { FixtureNotes } from "../fixture/fixture-format.ts";
import { builtFixture } from "../testing/facts.ts";
import { type LifeCycleFacts, lifeCycleOf } from "./life-cycle.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const CONTENT = "c".repeat(64);

const side = (commit: string, outcome: "reproduced" | "fixed"): CertifiedSide => ({
  ref: commit,
  module: "agents/a.ts",
  export: "default",
  commit: commit.repeat(40),
  tree_hash: commit.repeat(40),
  blob_hash: commit.repeat(40),
  runs: 3,
  outcomes: { [outcome]: 3 },
  transcript_sha256: null,
});

const { module, export: exportName, tree_hash, blob_hash } = side("b", "fixed");
const fixedCode = { module, export: exportName, tree_hash, blob_hash };

const certificate = (changes: Partial<Certificate> = {}): Certificate => ({
  result: "certified",
  mode: "cassette",
  fixture_sha256: CONTENT,
  runtime: { runproof: "0.1.0", node: "v26.0.0", platform: "linux x64" },
  certified_at: "2026-05-01T00:00:00.000Z",
  broken: side("a", "reproduced"),
  fixed: side("b", "fixed"),
  fingerprints: { code: fixedCode, prompt_version: "p-1", model: "m-1", tool_allowlist: ["search"] },
  ...changes,
});

const facts = (changes: Partial<LifeCycleFacts> = {}): LifeCycleFacts => ({
  contentSha256: CONTENT,
  now: NOW,
  maxAgeDays: 90,
  commitProblems: [],
  code: { known: true, value: fixedCode },
  newestRun: { known: true, value: { prompt_version: "p-1", model: "m-1", tool_allowlist: ["search"] } },
  ...changes,
});

const notes = (changes: Partial<FixtureNotes> = {}): FixtureNotes => ({
  ...builtFixture().notes,
  state: "certified",
  certification: certificate(),
  ...changes,
});

describe("a fixture is", () => {
  test("certified as long as its proof is about it and nothing moved", () => {
    expect(lifeCycleOf(notes(), facts())).toEqual({ state: "certified", reasons: [] });
    // What its file says besides is a claim.
    expect(lifeCycleOf(notes({ state: "candidate" }), facts()).state).toBe("certified");
  });

  test("a candidate without a proof, whatever its file says", () => {
    const claims = notes({ certification: null });
    expect(lifeCycleOf(claims, facts())).toEqual({
      state: "candidate",
      reasons: ["its file says certified, without a proof"],
    });
    expect(lifeCycleOf(builtFixture().notes, facts())).toEqual({ state: "candidate", reasons: [] });
  });

  test("a candidate when the proof is of another content", () => {
    const { state, reasons } = lifeCycleOf(notes(), facts({ contentSha256: "d".repeat(64) }));
    expect(state).toBe("candidate");
    expect(reasons[0]).toContain("changed after it was certified");
  });

  test.each<[string, Partial<Certificate>]>([
    ["the broken code passed", { broken: side("a", "fixed") }],
    ["the fixed code failed once", { fixed: { ...side("b", "fixed"), outcomes: { fixed: 2, diverged: 1 } } }],
    ["fewer replays than it counts", { broken: { ...side("a", "reproduced"), outcomes: { reproduced: 2 } } }],
    ["an outcome count of nothing", { fixed: { ...side("b", "fixed"), outcomes: {} } }],
    ["broken and fixed code are the same", { broken: { ...side("b", "reproduced") } }],
    [
      "fingerprints of other code",
      { fingerprints: { ...certificate().fingerprints, code: { ...fixedCode, tree_hash: "e".repeat(40) } } },
    ],
    ["a date to come", { certified_at: "2026-07-01T00:00:00.000Z" }],
  ])("a candidate when its proof is none: %s", (_, changes) => {
    const { state, reasons } = lifeCycleOf(notes({ certification: certificate(changes) }), facts());
    expect(state).toBe("candidate");
    expect(reasons).toHaveLength(1);
  });

  test("a candidate when its commits are others than it says", () => {
    expect(lifeCycleOf(notes(), facts({ commitProblems: ["not so"] }))).toEqual({
      state: "candidate",
      reasons: ["not so"],
    });
  });

  test.each<[string, Partial<LifeCycleFacts>, string]>([
    ["it is too old", { now: NOW + 60 * 86_400_000 }, "certified 91 days ago; at most 90 are good"],
    [
      "the module changed",
      { code: { known: true, value: { ...fixedCode, tree_hash: "e".repeat(40), blob_hash: "e".repeat(40) } } },
      "the code moved: the agent's module agents/a.ts changed since",
    ],
    [
      "a file beside the module changed",
      { code: { known: true, value: { ...fixedCode, tree_hash: "e".repeat(40) } } },
      "the code moved: files beside the agent's module agents/a.ts changed since",
    ],
    ["nobody can tell what the code is", { code: { known: false, why: "no checkout" } }, "no checkout"],
    [
      "the prompt moved",
      { newestRun: { known: true, value: { prompt_version: "p-2", model: "m-1", tool_allowlist: ["search"] } } },
      "the prompt version moved: p-1, now p-2",
    ],
    [
      "the model moved",
      { newestRun: { known: true, value: { prompt_version: "p-1", model: "", tool_allowlist: ["search"] } } },
      "the model moved: m-1, now none",
    ],
    [
      "the tools moved",
      {
        newestRun: { known: true, value: { prompt_version: "p-1", model: "m-1", tool_allowlist: ["mail", "search"] } },
      },
      "the tool allow-list moved: search, now mail, search",
    ],
  ])("stale when %s", (_, changes, reason) => {
    expect(lifeCycleOf(notes(), facts(changes))).toEqual({ state: "stale", reasons: [reason] });
  });

  test("stale for all its reasons at once", () => {
    const run = { prompt_version: "p-2", model: "m-2", tool_allowlist: [] };
    const { reasons } = lifeCycleOf(notes(), facts({ maxAgeDays: 1, newestRun: { known: true, value: run } }));
    expect(reasons).toHaveLength(4);
  });

  test("flaky when that is what was proven", () => {
    const { fingerprints: _, ...proof } = certificate();
    const broken = { ...proof.broken, outcomes: { reproduced: 2, fixed: 1 } };
    const certification = { ...proof, result: "flaky", broken, fixed: null } as const;
    expect(lifeCycleOf(notes({ state: "certified", certification }), facts())).toEqual({
      state: "flaky",
      reasons: ["replays of the same code differ (broken: 2 reproduced, 1 fixed)"],
    });
  });

  test("retired, with the reason, whatever was proven", () => {
    const retirement = { reason: "the tool is gone", retired_at: "2026-05-02T00:00:00.000Z" };
    expect(lifeCycleOf(notes({ retirement }), facts())).toEqual({ state: "retired", reasons: ["the tool is gone"] });
  });
});
