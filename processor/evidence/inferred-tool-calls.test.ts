import { describe, expect, it } from "vitest";
import { contract } from "../testing/evidence.ts";
import { callSpan, rootSpan, startSpan, testRun, text, type TestRun } from "../testing/run-spans.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { judge } from "../verdict/judge.ts";
import { runFactsFromSpans } from "./run-facts-from-spans.ts";

interface Turn {
  readonly asks?: readonly object[];
  readonly results?: readonly object[];
}

let turns = 0;
/** One exchange with a model: results of tools go in, calls of tools come out. */
function exchange(run: TestRun, { asks = [], results = [] }: Turn): SpanRow {
  const offset = ++turns;
  const span = callSpan(run, "POST api", {
    attributes: {
      [semconv.ATTR_CALL_KIND]: "http",
      [semconv.ATTR_CALL_NAME]: "POST api",
      [semconv.ATTR_PROVIDER_NAME]: "openai",
      [semconv.ATTR_INPUT_MESSAGES]: text([{ role: "tool", parts: results }] as never),
      [semconv.ATTR_OUTPUT_MESSAGES]: text([{ role: "assistant", parts: asks }] as never),
    },
  });
  return { ...span, Timestamp: String(BigInt(span.Timestamp) + BigInt(offset)) };
}
const asks = (id: string, name: string, args: object): object => ({ type: "tool_call", id, name, arguments: args });
const tells = (id: string, response: unknown, more: object = {}): object => ({
  type: "tool_call_response",
  id,
  response,
  ...more,
});

function toolCallsOf(run: TestRun, spans: readonly SpanRow[]): readonly ToolCallEvidence[] {
  const { evidence } = runFactsFromSpans(run.runId, [startSpan(run), ...spans, rootSpan(run, {})]);
  return evidence.toolCalls;
}

describe("a tool call that nobody recorded", () => {
  it("is told by the answer that asked for it and the request that told its result", () => {
    const run = testRun();
    const spans = [
      exchange(run, { asks: [asks("a", "book", { seat: 1 }), asks("b", "look", {})] }),
      exchange(run, { results: [tells("a", '{"id":7}'), tells("b", "no such seat", { is_error: true })] }),
    ];
    for (const given of [spans, spans.toReversed()]) {
      expect(toolCallsOf(run, given)).toMatchObject([
        { name: "book", callId: "a", arguments: { seat: 1 }, result: { id: 7 }, errorClass: null, isInferred: true },
        {
          name: "look",
          callId: "b",
          arguments: {},
          result: "no such seat",
          errorClass: "tool_error",
          sideEffect: "write",
        },
      ]);
    }
  });

  it("whose result its model never saw has none", () => {
    const run = testRun();
    expect(toolCallsOf(run, [exchange(run, { asks: [asks("a", "book", {})] })])).toMatchObject([
      { name: "book", result: undefined, errorClass: "no_result" },
    ]);
  });

  it("is none where it was told to the model and never asked for: an earlier conversation", () => {
    const run = testRun();
    expect(toolCallsOf(run, [exchange(run, { results: [tells("old", "x")] })])).toEqual([]);
  });

  it("counts once in however many requests it is repeated", () => {
    const run = testRun();
    const spans = [
      exchange(run, { asks: [asks("a", "book", {})] }),
      exchange(run, { asks: [asks("a", "book", {})], results: [tells("a", "first")] }),
      exchange(run, { results: [tells("a", "later")] }),
    ];
    expect(toolCallsOf(run, spans)).toMatchObject([{ result: "first" }]);
  });
});

describe("a recorded tool call", () => {
  const recorded = (run: TestRun, name: string, args: object, callId = ""): SpanRow =>
    callSpan(run, name, {
      attributes: { [semconv.ATTR_TOOL_CALL_ARGUMENTS]: text(args as never), [semconv.ATTR_TOOL_CALL_ID]: callId },
    });

  it.each([
    ["its id", "book", { seat: 2 }, "a"],
    ["name and arguments", "book", { seat: 1 }, ""],
    ["its name, with arguments that the tool filled in", "book", { seat: 1, class: "economy" }, ""],
    ["its id, under another name", "reserve", { seat: 1 }, "a"],
  ])("is not inferred again, known by %s", (_how, name, args, callId) => {
    const run = testRun();
    const spans = [
      recorded(run, name, args, callId),
      exchange(run, { asks: [asks("a", "book", { seat: 1 })] }),
      exchange(run, { results: [tells("a", "ok")] }),
    ];
    expect(toolCallsOf(run, spans).map((call) => [call.name, call.isInferred])).toEqual([[name, undefined]]);
  });

  it("stands for one call only", () => {
    const run = testRun();
    const same = asks("", "book", { seat: 1 });
    const spans = [recorded(run, "book", { seat: 1 }), exchange(run, { asks: [same, same] })];
    expect(toolCallsOf(run, spans).map((call) => call.isInferred)).toEqual([undefined, true]);
  });

  it("of another server stays another call", () => {
    const run = testRun();
    const spans = [
      recorded(run, "read", {}),
      exchange(run, { asks: [asks("a", "spread", {}), asks("b", "files__read", {})] }),
    ];
    expect(toolCallsOf(run, spans).map((call) => call.name)).toEqual(["read", "spread"]);
  });

  it("that was lost is not made up for by an inferred one", () => {
    const run = testRun();
    const spans = [
      startSpan(run),
      exchange(run, { asks: [asks("a", "book", {})] }),
      rootSpan(run, { toolCallCount: 1 }),
    ];
    const { evidence, contract: own } = runFactsFromSpans(run.runId, spans);
    expect(judge(evidence, own).reasons).toContainEqual(
      expect.objectContaining({ message: "1 of 1 tool calls never arrived" }),
    );
  });
});

describe("a contract", () => {
  const judged = (clause: object, turn: readonly Turn[]) => {
    const promise = contract(clause as never);
    const run = testRun({ contract: promise });
    const spans = [startSpan(run), ...turn.map((one) => exchange(run, one)), rootSpan(run, {})];
    return judge(runFactsFromSpans(run.runId, spans).evidence, promise);
  };
  const booked: readonly Turn[] = [{ asks: [asks("a", "book", { seat: 1 })] }, { results: [tells("a", "done")] }];

  it("judges what a hand-written loop did", () => {
    const expected = [{ tool: "book", arguments: { seat: 1 } }];
    expect(judged({ sideEffects: { expected } }, booked).status).toBe("passed");
    expect(judged({ sideEffects: { expected: [{ tool: "cancel" }], others: "allow" } }, booked).failureClass).toBe(
      "side_effect_missing",
    );
    expect(judged({ tools: { forbidden: ["book"] } }, booked).failureClass).toBe("tool_not_allowed");
    expect(judged({ mutations: { forbiddenTools: ["book"] } }, booked).failureClass).toBe("forbidden_mutation");
  });

  it("says what tools that only read are", () => {
    const clause = { sideEffects: { expected: [], others: "forbid" } };
    expect(judged(clause, booked).failureClass).toBe("side_effect_unexpected");
    expect(judged({ ...clause, tools: { sideEffects: { book: "read" } } }, booked).status).toBe("passed");
  });

  it("is not known to be kept where a call's outcome is not", () => {
    const unseen = [{ asks: [asks("a", "book", { seat: 1 })] }];
    const clause = { sideEffects: { expected: [], others: "forbid" } };
    expect(judged(clause, unseen)).toMatchObject({ status: "inconclusive", failureClass: "evidence_incomplete" });
    expect(judged({ tools: { allowed: ["book"] } }, unseen).failureClass).toBe("no_proof");
  });
});
