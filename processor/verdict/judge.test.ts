import { describe, expect, it } from "vitest";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import { artifact, closing, contract, evidence, toolCall } from "../testing/evidence.ts";
import { judge } from "./judge.ts";

const codes = (verdict: ReturnType<typeof judge>): string[] => verdict.reasons.map((reason) => reason.code);

describe("the status", () => {
  it("is passed only when evidence was re-read", () => {
    const promise = contract({ artifacts: [{ name: "report" }] });
    const verdict = judge(evidence({ closing: closing({ artifacts: [artifact()] }) }), promise);
    expect(verdict.status).toBe("passed");
    expect(verdict.proofs).toEqual([
      {
        clause: "/artifacts/0",
        evidence: [{ kind: "artifact", id: "report" }],
        observed: "report.md bytes=10 sha256=ab",
      },
    ]);
  });

  it("is inconclusive when the contract asks for nothing that can be proven", () => {
    const verdict = judge(evidence(), contract());
    expect(verdict.status).toBe("inconclusive");
    expect(codes(verdict)).toEqual(["no_proof"]);
  });

  it("is inconclusive without a contract", () => {
    expect(judge(evidence(), null)).toMatchObject({ status: "inconclusive", failureClass: "contract_missing" });
  });

  it("ignores what the agent says about itself", () => {
    const said = closing({ claim: { outcome: "done", detail: "all done!" }, answer: "The report is written." });
    const verdict = judge(evidence({ closing: said }), contract({ artifacts: [{ name: "report" }] }));
    expect(verdict).toMatchObject({ status: "failed", failureClass: "missing_artifact_ref" });
  });

  it("is failed for a run that was abandoned, with and without a contract", () => {
    const gone = evidence({ phase: "abandoned", abandonCause: "died", closing: null, elapsedSeconds: null });
    for (const promise of [null, contract()]) {
      const verdict = judge(gone, promise);
      expect(verdict.status).toBe("failed");
      expect(verdict.failureClass).toBe("run_abandoned");
      expect(verdict.failureReason).toContain("died");
    }
  });

  it("is failed for a run that threw, with the class of the exception", () => {
    const thrown = closing({ error: { errorClass: "TypeError", message: "x is not a function" } });
    const verdict = judge(evidence({ closing: thrown }), contract());
    expect(verdict).toMatchObject({ status: "failed", failureClass: "run_aborted" });
    expect(verdict.failureReason).toContain("TypeError");
  });

  it("is inconclusive for a run that has not ended", () => {
    const open = evidence({ phase: "open", closing: null, elapsedSeconds: null });
    expect(judge(open, contract({ artifacts: [{ name: "report" }] }))).toMatchObject({ status: "inconclusive" });
  });

  it("is blocked when a dependency was seen to be down and the run gave up", () => {
    const down = toolCall({ name: "fetch", errorClass: "dependency_unavailable" });
    const gaveUp = closing({ claim: { outcome: "blocked", detail: "" }, toolCallCount: 1 });
    const verdict = judge(
      evidence({ toolCalls: [down], closing: gaveUp }),
      contract({ artifacts: [{ name: "report" }] }),
    );
    expect(verdict).toMatchObject({ status: "blocked", failureClass: "blocked_dependency" });
  });

  it("is not blocked on the agent's word alone", () => {
    const gaveUp = closing({ claim: { outcome: "blocked", detail: "the API is down" } });
    expect(judge(evidence({ closing: gaveUp }), contract({ artifacts: [{ name: "report" }] })).status).toBe("failed");
  });

  it("is not blocked when the dependency came back", () => {
    const calls = [
      toolCall({ spanId: "1", name: "fetch", sideEffect: "read", errorClass: "timeout", startUnixNano: "9" }),
      toolCall({ spanId: "2", name: "fetch", sideEffect: "read", startUnixNano: "10" }),
    ];
    const gaveUp = closing({ claim: { outcome: "blocked", detail: "" }, toolCallCount: 2 });
    expect(
      judge(evidence({ toolCalls: calls, closing: gaveUp }), contract({ artifacts: [{ name: "r" }] })).status,
    ).toBe("failed");
  });

  it("is failed when a blocked run also did what it must not", () => {
    const calls = [
      toolCall({ spanId: "1", name: "pay", sideEffect: "money" }),
      toolCall({ spanId: "2", name: "fetch", errorClass: "timeout" }),
    ];
    const gaveUp = closing({ claim: { outcome: "blocked", detail: "" }, toolCallCount: 2 });
    const verdict = judge(
      evidence({ toolCalls: calls, closing: gaveUp }),
      contract({ mutations: { forbiddenClasses: ["money"] } }),
    );
    expect(verdict).toMatchObject({ status: "failed", failureClass: "forbidden_mutation" });
  });

  it("is skipped when the contract allows it and nothing was changed", () => {
    const skip = closing({ claim: { outcome: "skipped", detail: "queue is empty" } });
    expect(
      judge(evidence({ closing: skip }), contract({ allowSkip: true, artifacts: [{ name: "report" }] })).status,
    ).toBe("skipped");
    expect(judge(evidence({ closing: skip }), contract({ artifacts: [{ name: "report" }] })).status).toBe("failed");
    const wrote = evidence({ toolCalls: [toolCall()], closing: { ...skip, toolCallCount: 1 } });
    expect(judge(wrote, contract({ allowSkip: true, artifacts: [{ name: "report" }] })).status).toBe("failed");
  });

  it("is degraded when the work is proven but took more retries than agreed", () => {
    const retried = toolCall({
      attempts: [
        { status: "error", errorClass: "timeout", waitMillis: 0 },
        { status: "ok", errorClass: null, waitMillis: 5 },
      ],
    });
    const promise = contract({ sideEffects: { expected: [{ tool: "send" }] }, limits: { maxRetries: 0 } });
    expect(judge(evidence({ toolCalls: [retried] }), promise)).toMatchObject({
      status: "degraded",
      failureClass: "retried",
    });
  });

  it("is inconclusive when spans were lost, even if all that arrived is good", () => {
    const lost = closing({ artifacts: [artifact()], toolCallCount: 3 });
    const verdict = judge(evidence({ closing: lost }), contract({ artifacts: [{ name: "report" }] }));
    expect(verdict).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
    expect(verdict.failureReason).toBe("3 of 3 tool calls never arrived");
  });

  it("turns a validator that throws into a reason that is never green", () => {
    // Evidence from a foreign writer that does not keep the types: no validator may bring judge() down.
    const broken = evidence({ closing: closing({ artifacts: [artifact()], changedPaths: [7 as unknown as string] }) });
    const verdict = judge(broken, contract({ artifacts: [{ name: "report" }], changes: { forbidden: ["secret/**"] } }));
    expect(verdict).toMatchObject({ status: "inconclusive", failureClass: "validator_error" });
  });
});

describe("artifacts", () => {
  const report = (changes = {}, clause = {}) =>
    judge(
      evidence({ closing: closing({ artifacts: [artifact(changes)] }) }),
      contract({ artifacts: [{ name: "report", ...clause }] }),
    );

  it.each([
    [{ state: "missing" }, {}, "failed", "missing_artifact_ref"],
    [{ state: "unreadable" }, {}, "failed", "artifact_unreadable"],
    [{ state: "unchecked" }, {}, "inconclusive", "evidence_incomplete"],
    [{ bytes: 0 }, {}, "failed", "empty_output"],
    [{ bytes: 99 }, { minBytes: 100 }, "failed", "empty_output"],
    [{ bytes: null }, {}, "inconclusive", "evidence_incomplete"],
    [{ schemaErrors: ["/title: required"] }, { schema: { type: "object" } }, "failed", "schema_mismatch"],
    [{ schemaErrors: null }, { schema: { type: "object" } }, "inconclusive", "evidence_incomplete"],
    [{ kind: "file" }, { kind: "json", path: "r.json" }, "failed", "artifact_mismatch"],
  ] as const)("%j against %j is %s with %s", (changes, clause, status, code) => {
    expect(report(changes, clause)).toMatchObject({ status, failureClass: code });
  });

  it("pass when empty is allowed or the schema holds", () => {
    expect(report({ bytes: 0 }, { minBytes: 0 }).status).toBe("passed");
    expect(report({ schemaErrors: [] }, { schema: { type: "object" } }).status).toBe("passed");
  });
});

describe("side effects", () => {
  const book = (n: number, extra = {}) =>
    toolCall({ spanId: `${n}`, name: "book", arguments: { seat: n, note: "x" }, ...extra });
  const promise = (clause: object) =>
    contract({ sideEffects: { expected: [{ tool: "book", arguments: { note: "x", seat: 1 }, ...clause }] } });
  const verdictOf = (calls: ReturnType<typeof book>[], clause: object = {}) =>
    judge(evidence({ toolCalls: calls }), promise(clause));

  it("compare arguments without regard to key order", () => {
    expect(verdictOf([book(1)]).status).toBe("passed");
  });

  it("are missing, and the nearest call with its differing field is named", () => {
    const verdict = verdictOf([book(2, { sideEffect: "read" })]);
    expect(codes(verdict)).toContain("side_effect_missing");
    expect(verdict.reasons.find((r) => r.code === "side_effect_missing")?.message).toContain("/seat");
  });

  it("are missing when the only fitting call failed", () => {
    expect(verdictOf([book(1, { errorClass: "bad_request" })])).toMatchObject({ failureClass: "side_effect_missing" });
  });

  it("are repeated when they happen twice", () => {
    expect(verdictOf([book(1), book(1, { spanId: "b" })])).toMatchObject({
      status: "failed",
      failureClass: "side_effect_repeated",
    });
    expect(verdictOf([book(1), book(1, { spanId: "b" })], { times: { atLeast: 1 } }).status).toBe("passed");
  });

  it("are unexpected beyond those of the contract, unless it allows others", () => {
    const calls = [book(1), toolCall({ spanId: "c", name: "refund", sideEffect: "money" })];
    expect(verdictOf(calls)).toMatchObject({ status: "failed", failureClass: "side_effect_unexpected" });
    const lax = contract({ sideEffects: { expected: [{ tool: "book" }], others: "allow" } });
    expect(judge(evidence({ toolCalls: calls }), lax).status).toBe("passed");
  });

  it("ignore declared fields, and extra members in subset mode", () => {
    expect(verdictOf([book(1, { arguments: { seat: 1, note: "other" } })], { ignore: ["/note"] }).status).toBe(
      "passed",
    );
    expect(verdictOf([book(1, { arguments: { seat: 1, note: "x", more: 1 } })]).status).toBe("failed");
    expect(verdictOf([book(1, { arguments: { seat: 1, note: "x", more: 1 } })], { match: "subset" }).status).toBe(
      "passed",
    );
  });

  it("need a reference, or a probe that found it, when the contract says so", () => {
    expect(verdictOf([book(1)], { confirmedBy: "reference" })).toMatchObject({
      failureClass: "side_effect_unconfirmed",
    });
    expect(verdictOf([book(1, { reference: "B-7" })], { confirmedBy: "reference" }).status).toBe("passed");
    expect(verdictOf([book(1, { reference: "B-7" })], { confirmedBy: "probe" })).toMatchObject({
      failureClass: "side_effect_unconfirmed",
    });
    const found = evidence({
      toolCalls: [book(1, { reference: "B-7" })],
      closing: closing({ toolCallCount: 1, artifacts: [artifact({ name: "booking", ref: "B-7" })] }),
    });
    expect(judge(found, promise({ confirmedBy: "probe" })).status).toBe("passed");
  });

  it("find the right assignment when expectations overlap", () => {
    const overlapping = contract({
      sideEffects: { expected: [{ tool: "book" }, { tool: "book", arguments: { seat: 1, note: "x" } }] },
    });
    for (const calls of [
      [book(1), book(2)],
      [book(2), book(1)],
    ]) {
      expect(judge(evidence({ toolCalls: calls }), overlapping).status).toBe("passed");
    }
  });

  it("prove that nothing happened, where nothing should, from a complete ledger", () => {
    const nothing = contract({ sideEffects: { expected: [] } });
    expect(judge(evidence({ toolCalls: [toolCall({ sideEffect: "read" })] }), nothing).status).toBe("passed");
  });

  it("are undecided when arguments were not captured, and decided by hash when only the hash was", () => {
    const hidden = book(1, { arguments: undefined });
    expect(verdictOf([hidden])).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
    const hash = (seat: number) => hashJson({ seat, note: "x" });
    expect(verdictOf([book(1, { arguments: undefined, argumentsSha256: hash(1) })]).status).toBe("passed");
    expect(verdictOf([book(1, { arguments: undefined, argumentsSha256: hash(2) })]).status).toBe("failed");
  });
});

type FailingCase = [string, Parameters<typeof contract>[0], Partial<RunEvidence>, string];

describe("the other clauses", () => {
  it.each<FailingCase>([
    [
      "tools not on the list",
      { tools: { allowed: ["read"] } },
      { toolCalls: [toolCall({ errorClass: "x" })] },
      "tool_not_allowed",
    ],
    ["forbidden tools", { tools: { forbidden: ["send"] } }, { toolCalls: [toolCall()] }, "tool_not_allowed"],
    [
      "forbidden mutations",
      { mutations: { forbiddenTools: ["send"] } },
      { toolCalls: [toolCall()] },
      "forbidden_mutation",
    ],
    [
      "missing evidence paths",
      { evidencePaths: { paths: ["a", "b"] } },
      { closing: closing({ paths: [{ path: "a", exists: true, bytes: 3 }] }) },
      "evidence_path_missing",
    ],
    [
      "empty evidence paths",
      { evidencePaths: { paths: ["a"] } },
      { closing: closing({ paths: [{ path: "a", exists: true, bytes: 0 }] }) },
      "evidence_path_missing",
    ],
    [
      "forbidden paths",
      { changes: { forbidden: [".env", "secrets/**"] } },
      { closing: closing({ changedPaths: ["secrets/key"] }) },
      "forbidden_path",
    ],
    [
      "paths off the list",
      { changes: { allowed: ["src/**"] } },
      { closing: closing({ changedPaths: ["other.ts"] }) },
      "forbidden_path",
    ],
    [
      "missing changes",
      { changes: { expected: ["src/**"] } },
      { closing: closing({ changedPaths: [] }) },
      "expected_change_missing",
    ],
    [
      "a wrong end state",
      { state: { to: ["closed"] } },
      { closing: closing({ state: { before: "open", after: "open" } }) },
      "state_transition_mismatch",
    ],
    [
      "a wrong start state",
      { state: { from: "new", to: ["closed"] } },
      { closing: closing({ state: { before: "open", after: "closed" } }) },
      "state_transition_mismatch",
    ],
    [
      "a failed verification",
      { verification: { command: ["npm", "test"] } },
      {
        closing: closing({
          verification: { command: [], exitCode: 1, timedOut: false, outputTail: "", outputSha256: null },
        }),
      },
      "verification_failed",
    ],
    [
      "a verification that hangs",
      { verification: { command: ["npm", "test"] } },
      {
        closing: closing({
          verification: { command: [], exitCode: null, timedOut: true, outputTail: "", outputSha256: null },
        }),
      },
      "verification_failed",
    ],
    ["too much time", { limits: { timeoutSeconds: 5 } }, { elapsedSeconds: 6 }, "timeout_exceeded"],
    ["too many steps", { limits: { maxSteps: 1 } }, { closing: closing({ stepCount: 2 }) }, "steps_exceeded"],
    [
      "exhausted retries",
      { limits: { maxRetries: 1 } },
      {
        toolCalls: [toolCall({ spanId: "1", errorClass: "timeout" }), toolCall({ spanId: "2", errorClass: "timeout" })],
      },
      "retries_exhausted",
    ],
    [
      "missing content",
      { answer: { required: [{ contains: "327" }] } },
      { closing: closing({ answer: "It costs 32." }) },
      "required_content_missing",
    ],
    [
      "forbidden content",
      { answer: { forbidden: [{ contains: "As an AI" }] } },
      { closing: closing({ answer: "as an ai I cannot" }) },
      "forbidden_content",
    ],
    ["unrecorded operations", {}, { unrecordedOperations: ["net.connect a.example:443"] }, "unrecorded_operation"],
  ])("%s fail the run", (_name, clauses, changes, code) => {
    const verdict = judge(evidence(changes), contract(clauses));
    expect(verdict).toMatchObject({ status: "failed", failureClass: code });
  });

  it("prove a change, an end state, a verification and an answer", () => {
    const good = evidence({
      closing: closing({
        changedPaths: ["src/a.ts"],
        state: { before: "open", after: "closed" },
        verification: { command: [], exitCode: 0, timedOut: false, outputTail: "", outputSha256: "ab" },
        answer: "It costs $1,327 in total",
      }),
    });
    const promise = contract({
      changes: { expected: ["src/**"], allowed: ["src/**"] },
      state: { from: "open", to: ["closed", "done"] },
      verification: { command: ["npm", "test"] },
      answer: { required: [{ contains: "1327", ignoreCharacters: "," }] },
    });
    const verdict = judge(good, promise);
    expect(verdict.status).toBe("passed");
    expect(verdict.proofs.map((proof) => proof.clause)).toEqual([
      "/answer/required/0",
      "/changes/expected/0",
      "/state",
      "/verification",
    ]);
  });

  it("do not take the letters of a pseudonym for what the user was told", () => {
    const told = (answer: string, contains: string) =>
      judge(evidence({ closing: closing({ answer }) }), contract({ answer: { required: [{ contains }] } })).status;
    expect(told("write to [redacted:email:3f2a327bc01d]", "email")).toBe("failed");
    expect(told("write to [redacted:email:3f2a327bc01d]", "327")).toBe("failed");
    expect(told("write to [redacted:email:3f2a327bc01d] now", "to [redacted:email:3f2a327bc01d] now")).toBe("passed");
    expect(told("write to [redacted:email:3f2a327bc01d] by email", "email")).toBe("passed");
  });

  it("accept the agreed number of evidence paths", () => {
    const paths = [
      { path: "a", exists: true, bytes: 1 },
      { path: "b", exists: false, bytes: null },
    ];
    const verdict = judge(
      evidence({ closing: closing({ paths }) }),
      contract({ evidencePaths: { paths: ["a", "b"], atLeast: 1 } }),
    );
    expect(verdict.status).toBe("passed");
  });
});
