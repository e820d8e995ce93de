import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunEvidence, ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { artifact, closing, contract, toolCall } from "../testing/evidence.ts";
import { judge } from "./judge.ts";

const name = fc.constantFrom("book", "refund", "search", "send");
const args = fc.constantFrom<JsonValue | undefined>({}, { a: 1 }, { a: 2 }, { a: 1, b: [1] }, undefined);

const callArbitrary = fc
  .record({
    name,
    sideEffect: fc.constantFrom("read", "write", "money"),
    arguments: args,
    result: fc.constantFrom<JsonValue | undefined>(
      null,
      { id: "report" },
      { id: "data", at: ["http://b.example"] },
      undefined,
    ),
    errorClass: fc.constantFrom(null, "timeout", "bad_request"),
    reference: fc.constantFrom(null, "R1"),
    startUnixNano: fc.integer({ min: 1, max: 50 }).map(String),
  } as const)
  .map((changes) => changes as Partial<ToolCallEvidence>);

const artifactArbitrary = fc.record({
  name: fc.constantFrom("report", "data"),
  state: fc.constantFrom("present", "missing", "unreadable", "unchecked"),
  bytes: fc.constantFrom(null, 0, 10),
  schemaErrors: fc.constantFrom(null, [], ["wrong"]),
} as const);

const evidenceArbitrary: fc.Arbitrary<RunEvidence> = fc
  .record({
    phase: fc.constantFrom("ended", "ended", "ended", "open", "abandoned"),
    calls: fc.array(callArbitrary, { maxLength: 6 }),
    lost: fc.constantFrom(0, 0, 0, 1),
    artifacts: fc.array(artifactArbitrary, { maxLength: 3 }),
    answer: fc.constantFrom(null, "done", "It costs 327"),
    claim: fc.constantFrom(null, { outcome: "blocked", detail: "" }, { outcome: "skipped", detail: "" }),
    error: fc.constantFrom(null, null, { errorClass: "timeout", message: "" }),
    state: fc.constantFrom(null, { before: "open", after: "closed" }, { before: "open", after: "open" }),
    changedPaths: fc.constantFrom(null, [], ["src/a.ts", "x"]),
    elapsedSeconds: fc.constantFrom(1, 100),
  } as const)
  .map((parts) => {
    const toolCalls = parts.calls.map((call, index) => toolCall({ ...call, spanId: `${index}` }));
    const ended = parts.phase === "ended";
    return {
      runId: "run-1",
      agentName: "agent",
      phase: parts.phase,
      abandonCause: parts.phase === "abandoned" ? ("unknown" as const) : null,
      elapsedSeconds: ended ? parts.elapsedSeconds : null,
      toolCalls,
      closing: ended
        ? closing({
            artifacts: parts.artifacts.map((changes) => artifact(changes)),
            answer: parts.answer,
            claim: parts.claim,
            error: parts.error,
            state: parts.state,
            changedPaths: parts.changedPaths,
            toolCallCount: toolCalls.length + parts.lost,
          })
        : null,
      gaps: [],
    };
  });

const contractArbitrary = fc
  .record(
    {
      artifacts: fc.constantFrom(
        [{ name: "report" }],
        [{ name: "report" }, { name: "data", schema: { type: "object" } }],
      ),
      tools: fc.constantFrom({ allowed: ["book", "search"] }, { forbidden: ["refund"] }),
      sideEffects: fc.constantFrom(
        { expected: [{ tool: "book", arguments: { a: 1 } }] },
        {
          expected: [
            { tool: "book", match: "subset" as const, arguments: { a: 1 } },
            { tool: "book", times: { atLeast: 1 } },
          ],
        },
        { expected: [], others: "forbid" as const },
        { expected: [{ tool: "send", confirmedBy: "reference" as const }], others: "allow" as const },
      ),
      mutations: fc.constant({ forbiddenClasses: ["money" as const] }),
      claims: fc.constantFrom(
        [{ tool: "book", artifact: "{id}" }],
        [
          { tool: "book", artifact: "{id}", releases: [{ tool: "refund", id: "/a" }] },
          { tool: "send", artifact: "x{id}" },
        ],
      ),
      navigation: fc.constantFrom(
        { visits: [{ tool: "search", landed: "/at/*" }] },
        {
          lease: { tool: "book", id: "/id", origins: "/at/*", release: { tool: "refund", id: "/a" } },
          visits: [{ tool: "search", landed: "/at/*" }],
        },
      ),
      state: fc.constant({ to: ["closed"] }),
      answer: fc.constant({ required: [{ contains: "327" }] }),
      changes: fc.constant({ expected: ["src/**"], forbidden: ["x"] }),
      limits: fc.constantFrom({ timeoutSeconds: 10 }, { maxRetries: 0 }),
      allowSkip: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .map((clauses) => contract(clauses as unknown as Parameters<typeof contract>[0]));

/** Facts that speak against a run; none of them is a point in its favour. */
const contradictions: readonly ((given: RunEvidence) => RunEvidence)[] = [
  (given) => addCall(given, toolCall({ spanId: "zz", name: "wire_money", sideEffect: "money" })),
  (given) => addCall(given, toolCall({ spanId: "zz", name: "refund", errorClass: "bad_request" })),
  (given) => withClosing(given, { artifacts: [...(given.closing?.artifacts ?? []), artifact({ state: "missing" })] }),
  (given) => withClosing(given, { error: { errorClass: "TypeError", message: "" } }),
  (given) => withClosing(given, { state: { before: "open", after: "broken" } }),
  (given) => withClosing(given, { toolCallCount: (given.closing?.toolCallCount ?? 0) + 1 }),
  (given) => withClosing(given, { gaps: ["a probe failed"] }),
  (given) => withClosing(given, { answer: null }),
  (given) => (given.elapsedSeconds === null ? given : { ...given, elapsedSeconds: 1e6 }),
];

const withClosing = (given: RunEvidence, changes: object): RunEvidence =>
  given.closing === null ? given : { ...given, closing: { ...given.closing, ...changes } };

const addCall = (given: RunEvidence, call: ToolCallEvidence): RunEvidence => ({
  ...withClosing(given, { toolCallCount: (given.closing?.toolCallCount ?? 0) + 1 }),
  toolCalls: [...given.toolCalls, call],
});

const shuffled = <Item>(items: readonly Item[], seed: number): Item[] =>
  items
    .map((item, index) => ({ item, key: Math.imul(index + 1, 2654435761 + seed) >>> 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);

describe("judge()", () => {
  it("gives the same verdict for the same input, and every status is one of six", () => {
    fc.assert(
      fc.property(evidenceArbitrary, fc.option(contractArbitrary), (given, promise) => {
        const verdict = judge(given, promise);
        expect(judge(structuredClone(given), structuredClone(promise))).toEqual(verdict);
        expect(["passed", "failed", "blocked", "degraded", "skipped", "inconclusive"]).toContain(verdict.status);
        expect(verdict.status === "passed" && verdict.proofs.length === 0).toBe(false);
        expect((verdict.failureClass === null) === ["passed", "skipped"].includes(verdict.status)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("does not depend on the order of the facts", () => {
    fc.assert(
      fc.property(evidenceArbitrary, contractArbitrary, fc.nat(), (given, promise, seed) => {
        const reordered = {
          ...withClosing(given, { artifacts: shuffled(given.closing?.artifacts ?? [], seed) }),
          toolCalls: shuffled(given.toolCalls, seed),
        };
        expect(judge(reordered, promise)).toEqual(judge(given, promise));
      }),
      { numRuns: 1_000 },
    );
  });

  it("never turns failed into passed, degraded or skipped when more speaks against the run", () => {
    fc.assert(
      fc.property(
        evidenceArbitrary,
        contractArbitrary,
        fc.subarray([...contradictions.keys()]),
        (given, promise, picked) => {
          const before = judge(given, promise);
          const worse = picked.reduce((changed, index) => contradictions[index]?.(changed) ?? changed, given);
          const after = judge(worse, promise);
          if (before.status === "failed") expect(["passed", "degraded", "skipped"]).not.toContain(after.status);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("is total: no shape of evidence makes it throw", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true }),
        fc.option(contractArbitrary),
        (junk, promise) => {
          const broken = {
            runId: "r",
            phase: "ended",
            toolCalls: [junk],
            closing: junk,
            gaps: [],
          } as unknown as RunEvidence;
          expect(judge(broken, promise).status).not.toBe("passed");
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
