import { describe, expect, it } from "vitest";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { artifact, closing, evidence, toolCall } from "../testing/evidence.ts";
import { runFactsFromSpans } from "../evidence/run-facts-from-spans.ts";
import { evidenceRank, verdictVersion } from "./evidence-rank.ts";

const rankOf = (changes: Partial<RunEvidence>): number =>
  evidenceRank({ ...runFactsFromSpans("run-1", []), evidence: evidence(changes) });

describe("the evidence rank", () => {
  it("rises with what is known of the run's end", () => {
    const ranks = [
      rankOf({ phase: "open", closing: null }),
      rankOf({ phase: "abandoned", closing: null }),
      rankOf({}),
      rankOf({ closing: closing({ artifacts: [artifact({ state: "unchecked" })] }) }),
      rankOf({ closing: closing({ artifacts: [artifact()] }) }),
    ];
    expect(ranks).toEqual([0, 1, 2, 3, 4]);
  });

  it("counts a reference that a call gave as one to an artifact", () => {
    expect(rankOf({ toolCalls: [toolCall({ reference: "booking-1" })] })).toBe(3);
  });

  it.each([
    ["an artifact that was found", { artifacts: [artifact()] }],
    ["an artifact that was missed", { artifacts: [artifact({ state: "missing" })] }],
    ["an observed state", { state: { before: 1, after: 2 } }],
    [
      "a verification",
      { verification: { command: ["true"], exitCode: 0, timedOut: false, outputTail: "", outputSha256: null } },
    ],
  ])("is verified or contradicted by %s", (_, changes) => {
    expect(rankOf({ closing: closing(changes) })).toBe(4);
  });

  it("keeps an ended run without readable evidence above an abandoned one", () => {
    expect(rankOf({ closing: null })).toBe(2);
  });
});

describe("a verdict's version", () => {
  it("puts the rank before any number of facts and stays a safe integer", () => {
    expect(verdictVersion(0, 1)).toBe(1);
    expect(verdictVersion(1, 1)).toBeGreaterThan(verdictVersion(0, 2 ** 40));
    expect(verdictVersion(4, 2)).toBeGreaterThan(verdictVersion(4, 1));
    expect(Number.isSafeInteger(verdictVersion(5, 2 ** 40))).toBe(true);
  });
});
