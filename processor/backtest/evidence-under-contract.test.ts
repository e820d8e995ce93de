import { describe, expect, it } from "vitest";
import { type RunContract, runContractSchema } from "../../instrumentation/contract/contract.ts";
import type { ClosingEvidence, RunEvidence } from "../../instrumentation/contract/evidence.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { artifact, closing, contract, evidence, toolCall } from "../testing/evidence.ts";
import { judge } from "../verdict/judge.ts";
import { evidenceUnder } from "./evidence-under-contract.ts";

interface Case {
  /** What judges now. */
  readonly now: Parameters<typeof contract>[0];
  /** What the run promised; `null` for nothing. */
  readonly promised?: Parameters<typeof contract>[0] | null;
  readonly closed?: Partial<ClosingEvidence>;
  readonly ran?: Partial<RunEvidence>;
}

function judged({
  now,
  promised = null,
  closed = {},
  ran = {},
}: Case): Verdict & { readonly unobserved: readonly string[] } {
  const seen = evidence({ closing: closing(closed), ...ran });
  const recorded: RunContract | null = promised === null ? null : contract(promised);
  const { evidence: read, contract: clauses, unobserved } = evidenceUnder(contract(now), recorded, seen);
  return { ...judge(read, clauses), unobserved };
}

const codesOf = ({ reasons }: Verdict): string[] => reasons.map(({ code }) => code);

describe("evidence under a contract that the run did not have", () => {
  it("changes nothing for the contract it did have", () => {
    const own = contract({
      artifacts: [{ name: "report", path: "report.md", schema: { type: "object" } }],
      evidencePaths: { paths: ["a", "b"] },
      changes: { expected: ["src/**"] },
      verification: { command: ["true"] },
      sideEffects: { expected: [{ tool: "send", confirmedBy: "probe" }] },
      answer: { required: [{ contains: "x" }] },
    });
    const seen = evidence({
      closing: closing({
        paths: [
          { path: "a", exists: true, bytes: 1 },
          { path: "b", exists: false, bytes: null },
        ],
        answer: "no",
      }),
    });
    const { evidence: read, contract: clauses, unobserved } = evidenceUnder(own, own, seen);
    expect(judge(read, clauses)).toEqual(judge(seen, own));
    expect(unobserved).toEqual([]);
  });

  it.each<[string, string, Case]>([
    [
      "an artifact in a place where nobody looked",
      "/artifacts/0",
      { now: { artifacts: [{ name: "report", path: "report.md" }] } },
    ],
    [
      "an artifact that was looked for somewhere else",
      "/artifacts/0",
      {
        now: { artifacts: [{ name: "report", path: "new.md" }] },
        promised: { artifacts: [{ name: "report", path: "old.md" }] },
        closed: { artifacts: [artifact({ ref: "old.md", state: "missing", bytes: null })] },
      },
    ],
    [
      "an artifact of which another schema was checked",
      "/artifacts/0",
      {
        now: { artifacts: [{ name: "report", schema: { type: "object", required: ["total"] } }] },
        promised: { artifacts: [{ name: "report", schema: { type: "object" } }] },
        closed: { artifacts: [artifact({ schemaErrors: [] })] },
      },
    ],
    ["evidence paths that nobody looked for", "/evidencePaths", { now: { evidencePaths: { paths: ["a.log"] } } }],
    [
      "evidence paths of which those that were found are too few without the others",
      "/evidencePaths",
      {
        now: { evidencePaths: { paths: ["a", "b", "c"], atLeast: 2 } },
        closed: {
          paths: [
            { path: "a", exists: true, bytes: 1 },
            { path: "b", exists: false, bytes: null },
          ],
        },
      },
    ],
    [
      "changes of another workspace",
      "/changes",
      {
        now: { changes: { workspace: "there", expected: ["src/**"] } },
        promised: { changes: { expected: ["src/**"] } },
        closed: { changedPaths: [] },
      },
    ],
    ["a verification that nobody ran", "/verification", { now: { verification: { command: ["npm", "test"] } } }],
    [
      "the failure of another verification",
      "/verification",
      {
        now: { verification: { command: ["npm", "test"] } },
        promised: { verification: { command: ["make"] } },
        closed: {
          verification: { command: ["make"], exitCode: 2, timedOut: false, outputTail: "", outputSha256: null },
        },
      },
    ],
    [
      "a verification that was cut short by less time than it has now",
      "/verification",
      {
        now: { verification: { command: ["make"], timeoutSeconds: 90 } },
        promised: { verification: { command: ["make"], timeoutSeconds: 60 } },
        closed: {
          verification: { command: ["make"], exitCode: null, timedOut: true, outputTail: "", outputSha256: null },
        },
      },
    ],
    [
      "a side effect that no probe was asked to confirm",
      "/sideEffects/expected/0",
      {
        now: { sideEffects: { expected: [{ tool: "send", confirmedBy: "probe" }] } },
        ran: { toolCalls: [toolCall({ reference: "m-1" })] },
      },
    ],
    [
      "content that may have been redacted",
      "/answer/required/0",
      {
        now: { answer: { required: [{ contains: "@example.org" }] } },
        closed: { answer: "write to [redacted:email:0123456789ab]" },
      },
    ],
    [
      "forbidden content that may have been redacted",
      "/answer/forbidden/0",
      {
        now: { answer: { required: [{ contains: "write" }], forbidden: [{ contains: "4111" }] } },
        closed: { answer: "write to [redacted:card:0123456789ab]" },
      },
    ],
  ])("leaves a run inconclusive over %s, and says so", (_what, clause, one) => {
    const verdict = judged(one);
    expect(verdict.status).toBe("inconclusive");
    expect(codesOf(verdict)).toContain("evidence_incomplete");
    expect(new Set(codesOf(verdict)).size).toBe(1);
    expect(verdict.unobserved).toEqual([clause]);
  });

  it.each<[string, string, Case]>([
    [
      "an artifact without a place, which the run had to record by itself",
      "missing_artifact_ref",
      { now: { artifacts: [{ name: "report" }] } },
    ],
    [
      "an artifact that the run itself recorded at the new place",
      "missing_artifact_ref",
      {
        now: { artifacts: [{ name: "report", path: "report.md" }] },
        closed: { artifacts: [artifact({ ref: "report.md", state: "missing", bytes: null })] },
      },
    ],
    [
      "evidence paths that are too few whatever the others are",
      "evidence_path_missing",
      {
        now: { evidencePaths: { paths: ["a", "b", "c"] } },
        closed: { paths: [{ path: "a", exists: false, bytes: null }] },
      },
    ],
    [
      "calls",
      "side_effect_missing",
      { now: { sideEffects: { expected: [{ tool: "send" }] }, verification: { command: ["make"] } } },
    ],
    [
      "content that is missing from an answer nothing was taken out of",
      "required_content_missing",
      { now: { answer: { required: [{ contains: "total" }] } }, closed: { answer: "done" } },
    ],
  ])("fails a run over %s", (_what, code, one) => {
    const verdict = judged(one);
    expect(verdict.status).toBe("failed");
    expect(codesOf(verdict)).toContain(code);
  });

  it("passes a run that has evidence enough without what nobody looked at", () => {
    const found = judged({
      now: { evidencePaths: { paths: ["a", "b", "c"], atLeast: 1 } },
      closed: { paths: [{ path: "b", exists: true, bytes: 5 }] },
    });
    expect(found).toMatchObject({ status: "passed", unobserved: [] });
    const rules = { required: [{ contains: "@example.org" }] };
    const known = judged({
      now: { answer: rules },
      promised: { answer: rules },
      closed: { answer: "[redacted:email:0123456789ab]" },
    });
    expect(codesOf(known)).toEqual(["required_content_missing"]);
  });

  it("keeps the other required rules, and tells their places in the whole contract", () => {
    const now = contract({
      answer: { required: [{ contains: "secret" }, { contains: "sum" }, { contains: "total" }] },
    });
    const seen = evidence({ closing: closing({ answer: "sum and total for [redacted:email:0123456789ab]" }) });
    const { contract: clauses, requiredRules } = evidenceUnder(now, null, seen);
    expect(clauses.answer?.required.map((rule) => rule.contains)).toEqual(["sum", "total"]);
    expect(requiredRules).toEqual([1, 2]);
  });

  it("leaves a run that closed without readable evidence as it is", () => {
    const seen = evidence({ closing: null });
    expect(evidenceUnder(contract({ verification: { command: ["make"] } }), null, seen)).toMatchObject({
      evidence: seen,
      unobserved: [],
    });
  });

  it("has a decision on every clause that a contract may have", () => {
    const asksProbes = ["artifacts", "evidencePaths", "changes", "sideEffects", "verification", "answer"];
    // Told by the calls, the record, or a reader that the run itself brings.
    const needsNone = [
      "version",
      "agent",
      "tools",
      "mutations",
      "claims",
      "navigation",
      "state",
      "limits",
      "allowSkip",
    ];
    expect(Object.keys(runContractSchema.shape).sort()).toEqual([...asksProbes, ...needsNone].sort());
  });
});
