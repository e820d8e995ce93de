import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../../instrumentation/contract/reason-codes.ts";
import type { Verdict, VerdictStatus } from "../../instrumentation/contract/verdict.ts";
import { createPlayer } from "../cassette/player.ts";
import { builtFixture } from "../testing/facts.ts";
import { asks } from "../testing/interactions.ts";
import { compareWithFixture } from "./compare.ts";
import { exitCodeOf } from "./exit-codes.ts";

const fixture = builtFixture();

const verdict = (status: VerdictStatus, ...codes: ReasonCode[]): Verdict => ({
  status,
  reasons: codes.map((code) => ({ code, clause: "", evidence: [], message: code })),
  proofs: [],
  failureClass: codes[0] ?? null,
  failureReason: codes[0] ?? null,
});

describe("a replay is", () => {
  test.each([
    ["fixed, exit 0, with a required status", verdict("passed"), "fixed", 0],
    [
      "reproduced, exit 1, with the same status and reasons",
      verdict("failed", "missing_artifact_ref"),
      "reproduced",
      1,
    ],
    [
      "reproduced when a reason comes twice",
      verdict("failed", "missing_artifact_ref", "missing_artifact_ref"),
      "reproduced",
      1,
    ],
    ["diverged, exit 1, with another reason", verdict("failed", "empty_output"), "diverged", 1],
    ["diverged with a further reason", verdict("failed", "forbidden_mutation", "missing_artifact_ref"), "diverged", 1],
    ["diverged with the same reason in another status", verdict("blocked", "missing_artifact_ref"), "diverged", 1],
    ["diverged with a status that is good but not required", verdict("skipped"), "diverged", 1],
    [
      "inconclusive, exit 4, when the evidence is not enough",
      verdict("inconclusive", "evidence_incomplete"),
      "inconclusive",
      4,
    ],
  ] as const)("%s", (_, seen, outcome, exitCode) => {
    const comparison = compareWithFixture(fixture, seen, { misses: [] });
    expect(comparison.outcome).toBe(outcome);
    expect(exitCodeOf(comparison.outcome)).toBe(exitCode);
  });

  test("reproduced when the source run was inconclusive for the same reason", () => {
    const observed = { ...fixture.notes.observed, status: "inconclusive", reason_codes: ["no_proof"] } as const;
    const notes = { ...fixture.notes, observed: { ...observed, reason_codes: [...observed.reason_codes] } };
    const comparison = compareWithFixture({ ...fixture, notes }, verdict("inconclusive", "no_proof"), { misses: [] });
    expect(comparison.outcome).toBe("reproduced");
  });

  test("diverged with a miss, even if the run passed, and the miss is named", () => {
    const player = createPlayer(fixture.cassette);
    player.answer(asks("search#0", { q: "cats" }));
    const comparison = compareWithFixture(fixture, verdict("passed"), player.report());
    expect(comparison.outcome).toBe("diverged");
    expect(comparison.explanation).toContain('/arguments/q recorded "otters", asked "cats"');
  });
});
