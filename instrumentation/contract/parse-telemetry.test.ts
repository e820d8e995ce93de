import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClosingEvidence } from "./closing-evidence.ts";
import type { ClosingEvidence } from "./evidence.ts";
import { parseVerdict } from "./parse-verdict.ts";
import type { Verdict } from "./verdict.ts";

const evidence: ClosingEvidence = {
  version: 1,
  claim: { outcome: "done", detail: "" },
  error: null,
  artifacts: [
    { name: "a", kind: "file", ref: "a", state: "present", bytes: 1, sha256: "x", schemaErrors: null, detail: null },
  ],
  paths: [{ path: "p", exists: true, bytes: null }],
  changedPaths: ["x"],
  state: { before: null, after: { deep: [1] } },
  verification: { command: ["true"], exitCode: 0, timedOut: false, outputTail: "", outputSha256: null },
  answer: "yes",
  toolCallCount: 2,
  stepCount: 3,
  gaps: [],
};

const verdict: Verdict = {
  status: "failed",
  reasons: [
    { code: "empty_output", clause: "/artifacts/0", evidence: [{ kind: "artifact", id: "a" }], message: "is empty" },
    { code: "retried", clause: "", evidence: [], message: "twice" },
  ],
  proofs: [{ clause: "/state", evidence: [], observed: "o" }],
  failureClass: "empty_output",
  failureReason: "is empty",
};

/** Anything at all in the place of any one member. */
const spoiled = (value: object): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...Object.keys(value)), fc.jsonValue())
    .map(([key, junk]) => JSON.stringify({ ...value, [key]: junk }));

describe("parseClosingEvidence()", () => {
  it("reads what closeRun() writes", () => {
    expect(parseClosingEvidence(JSON.stringify(evidence))).toEqual(evidence);
  });

  it("gives null, or evidence of the right shape, for anything else; it never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), spoiled(evidence)), (text) => {
        const parsed = parseClosingEvidence(text);
        if (parsed === null) return;
        expect(Object.keys(parsed).toSorted()).toEqual(Object.keys(evidence).toSorted());
        expect(Number.isInteger(parsed.toolCallCount) && parsed.toolCallCount >= 0).toBe(true);
      }),
    );
  });

  it.each([
    ["no JSON", "{"],
    ["another version", JSON.stringify({ ...evidence, version: 2 })],
    ["a negative count", JSON.stringify({ ...evidence, toolCallCount: -1 })],
    ["a missing member", JSON.stringify({ ...evidence, gaps: undefined })],
    ["hostile depth", `${"[".repeat(1_000_000)}`],
    [
      "a state of its own making",
      JSON.stringify({ ...evidence, artifacts: [{ ...evidence.artifacts[0], state: "fine" }] }),
    ],
  ])("refuses %s", (_, text) => {
    expect(parseClosingEvidence(text)).toBeNull();
  });
});

describe("parseVerdict()", () => {
  const texts = { status: "failed", reasons: JSON.stringify(verdict.reasons), proofs: JSON.stringify(verdict.proofs) };

  it("puts a verdict together again, its class from the first reason", () => {
    expect(parseVerdict(texts)).toEqual(verdict);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.anything(), fc.oneof(fc.anything(), fc.json()), (status, reasons) => {
        expect(() => parseVerdict({ status, reasons, proofs: reasons })).not.toThrow();
      }),
    );
  });

  it.each([
    ["a status of its own", { ...texts, status: "great" }],
    ["an unknown code", { ...texts, reasons: JSON.stringify([{ ...verdict.reasons[0], code: "bad_luck" }]) }],
    ["reasons that are no text", { ...texts, reasons: verdict.reasons }],
    ["no proofs", { ...texts, proofs: undefined }],
    ["hostile depth", { ...texts, proofs: "[".repeat(1_000_000) }],
  ])("refuses %s", (_, given) => {
    expect(parseVerdict(given)).toBeNull();
  });
});
