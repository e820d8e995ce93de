import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contractSha256 } from "../../instrumentation/contract/contract.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { contract } from "../testing/evidence.ts";
import { callSpan, closeSpan, recordSpan, rootSpan, startSpan, testRun, text } from "../testing/run-spans.ts";
import { judge } from "../verdict/judge.ts";
import { runFactsFromSpans } from "./run-facts-from-spans.ts";

const run = testRun();
const full: readonly SpanRow[] = [
  startSpan(run, { attributes: { [semconv.ATTR_RUN_INPUT]: text({ q: 1 }), [semconv.ATTR_TASK_ID]: "task" } }),
  callSpan(run, "send"),
  callSpan(run, "look", { attributes: { [semconv.ATTR_SIDE_EFFECT]: "read" } }),
  recordSpan(run, semconv.RUN_EVENT_CHECKPOINT),
  rootSpan(run, { toolCallCount: 2 }),
  closeSpan(run, { toolCallCount: 2 }),
];

describe("the facts of a run", () => {
  it("are read off its spans", () => {
    const facts = runFactsFromSpans(run.runId, full);
    expect(facts).toMatchObject({ runId: run.runId, traceId: run.traceId, rootSpanId: run.rootSpanId, taskId: "task" });
    expect(facts).toMatchObject({ agentName: "agent", input: { q: 1 }, factCount: 6, contractProblem: null });
    expect(facts.contract).toEqual(run.contract);
    expect(facts.evidence).toMatchObject({ phase: "ended", elapsedSeconds: 0.4, gaps: [] });
    expect(facts.evidence.toolCalls.map((call) => call.name).toSorted()).toEqual(["look", "send"]);
  });

  it("are the same for duplicated, shuffled lists that are mixed with other runs", () => {
    const other = testRun({ traceId: run.traceId });
    const noise = [startSpan(other), callSpan(other, "forbidden"), rootSpan(other), closeSpan(other)];
    const expected = runFactsFromSpans(run.runId, full);
    const list = fc
      .tuple(fc.array(fc.constantFrom(...full)), fc.array(fc.constantFrom(...noise)))
      .chain(([again, others]) => {
        const spans = [...full, ...again, ...others];
        return fc.shuffledSubarray(spans, { minLength: spans.length });
      });
    fc.assert(
      fc.property(list, (spans) => {
        expect(runFactsFromSpans(run.runId, spans)).toEqual(expected);
      }),
    );
  });

  it("do not depend on which of two differing copies of a span came first", () => {
    const twins = [
      rootSpan(run, { answer: "a" }),
      rootSpan(run, { answer: "b" }),
      rootSpan(run, {}, { attributes: { [semconv.ATTR_EVIDENCE]: "{" } }),
    ];
    const facts = twins.map((_, index) =>
      runFactsFromSpans(run.runId, [...twins.slice(index), ...twins.slice(0, index)]),
    );
    expect(facts[1]).toEqual(facts[0]);
    expect(facts[2]).toEqual(facts[0]);
  });

  it("keep the runs of one trace apart, sub-runs too", () => {
    const parent = testRun();
    const child = testRun({ traceId: parent.traceId });
    const spans = [
      startSpan(parent),
      startSpan(child, { attributes: { [semconv.ATTR_PARENT_RUN_ID]: parent.runId } }),
      callSpan(child, "send"),
      rootSpan(child, { toolCallCount: 1 }, { fields: { ParentSpanId: parent.rootSpanId } }),
    ];
    expect(runFactsFromSpans(parent.runId, spans)).toMatchObject({ parentRunId: "", factCount: 1, calls: [] });
    expect(runFactsFromSpans(parent.runId, spans).evidence.phase).toBe("open");
    const facts = runFactsFromSpans(child.runId, spans);
    expect(facts).toMatchObject({ parentRunId: parent.runId, rootSpanId: child.rootSpanId, factCount: 3 });
    expect(judge(facts.evidence, facts.contract).status).toBe("passed");
  });

  it("take the evidence of the close record when the root span never came or cannot be read", () => {
    const close = closeSpan(run, { answer: "done" });
    const broken = rootSpan(run, {}, { attributes: { [semconv.ATTR_EVIDENCE]: "{" } });
    expect(runFactsFromSpans(run.runId, [close]).evidence.closing?.answer).toBe("done");
    expect(runFactsFromSpans(run.runId, [broken, close]).evidence).toMatchObject({
      closing: { answer: "done" },
      gaps: [],
    });
    expect(runFactsFromSpans(run.runId, [broken]).evidence).toMatchObject({
      closing: null,
      gaps: [expect.any(String)],
    });
  });
});

describe("the end that never came", () => {
  const phaseOf = (spans: readonly SpanRow[], cause: null | "telemetry_lost" = null) => {
    const { phase, abandonCause } = runFactsFromSpans(run.runId, spans, { abandoned: { cause } }).evidence;
    return { phase, abandonCause };
  };
  const start = startSpan(run);
  const exit = (code: string): SpanRow =>
    recordSpan(run, semconv.RUN_EVENT_PROCESS_EXIT, { attributes: { [semconv.ATTR_EXIT_CODE]: code } });
  const died = recordSpan(run, semconv.RUN_EVENT_PROCESS_DIED);

  it("is told apart by the last words of the process", () => {
    expect(phaseOf([start])).toEqual({ phase: "abandoned", abandonCause: "unknown" });
    expect(phaseOf([start, died])).toEqual({ phase: "abandoned", abandonCause: "died" });
    expect(phaseOf([start, exit("0")])).toEqual({ phase: "abandoned", abandonCause: "clean_shutdown" });
    expect(phaseOf([start, exit("3")])).toEqual({ phase: "abandoned", abandonCause: "died" });
    expect(phaseOf([start], "telemetry_lost")).toEqual({ phase: "abandoned", abandonCause: "telemetry_lost" });
  });

  it("gives way to an end that came after all", () => {
    expect(phaseOf([start, died, closeSpan(run)])).toEqual({ phase: "ended", abandonCause: null });
  });

  it("is not told by last words alone: the deadline decides", () => {
    expect(runFactsFromSpans(run.runId, [start, died]).evidence.phase).toBe("open");
  });
});

describe("the contract of a run", () => {
  const lenient = contract({ allowSkip: true });

  it("is refused when it is not the one its hash names", () => {
    const facts = runFactsFromSpans(run.runId, [
      startSpan(run, { attributes: { [semconv.ATTR_CONTRACT]: text(lenient) } }),
      rootSpan(run),
    ]);
    expect(facts.contract).toBeNull();
    expect(facts.contractProblem).toContain("not the one its hash names");
    expect(facts.evidence.gaps).toEqual([facts.contractProblem]);
    expect(judge(facts.evidence, facts.contract).status).not.toBe("passed");
  });

  it("is taken from elsewhere only under the same hash", () => {
    const spans = [startSpan(run, { attributes: { [semconv.ATTR_CONTRACT]: "" } }), rootSpan(run)];
    expect(runFactsFromSpans(run.runId, spans, { contract: run.contract }).contract).toEqual(run.contract);
    expect(runFactsFromSpans(run.runId, spans, { contract: lenient }).contract).toBeNull();
    expect(contractSha256(lenient)).not.toBe(contractSha256(run.contract));
  });
});

describe("hostile attributes", { timeout: 240_000 }, () => {
  const deep = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const hostile: readonly [string, string][] = [
    ["an own __proto__", '{"__proto__":{"version":1,"polluted":true},"constructor":{"prototype":{"polluted":true}}}'],
    ["nothing", ""],
    ["broken JSON", '{"version":1,'],
    ["another type", "42"],
    ["null", "null"],
    ["a lone surrogate", '"\\ud800"'],
    ["a huge text", JSON.stringify("x".repeat(5_000_000))],
    ["a huge list", `[${"0,".repeat(100_000)}0]`],
    ["a million levels of lists", deep(1_000_000)],
    ["a million levels of objects", `${'{"a":'.repeat(1_000_000)}1${"}".repeat(1_000_000)}`],
    ["a million levels never closed", "[".repeat(1_000_000)],
  ];
  const places = [
    semconv.ATTR_CONTRACT,
    semconv.ATTR_EVIDENCE,
    semconv.ATTR_TOOL_CALL_ARGUMENTS,
    semconv.ATTR_TOOL_CALL_RESULT,
    semconv.ATTR_CALL_CAPTURE,
    semconv.ATTR_CALL_ATTEMPTS,
    semconv.ATTR_CALL_ERROR,
    semconv.ATTR_RUN_INPUT,
    semconv.ATTR_RUN_STATE,
  ];

  it.each(hostile)("with %s become gaps and never a pass", (_, value) => {
    for (const place of places) {
      const attributes = { [place]: value };
      const root = rootSpan(run, {}, place === semconv.ATTR_EVIDENCE ? { attributes } : {});
      const spans = [startSpan(run, { attributes }), callSpan(run, "forbidden", { attributes }), root];
      const facts = runFactsFromSpans(run.runId, spans);
      expect(judge(facts.evidence, facts.contract).status).not.toBe("passed");
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("never throw, whatever any attribute of a run holds", () => {
    const names = Object.entries(semconv).flatMap(([key, name]) =>
      key.startsWith("ATTR_") && name !== semconv.ATTR_RUN_ID && typeof name === "string" ? [name] : [],
    );
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constantFrom("start", "run", "close", "tool"));
    const attributes = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constant("__proto__")), value);
    fc.assert(
      fc.property(fc.array(attributes, { maxLength: 6 }), (list) => {
        const spans = list.map((entry) => recordSpan(run, "start", { attributes: entry }));
        const facts = runFactsFromSpans(run.runId, spans, { abandoned: { cause: null } });
        judge(facts.evidence, facts.contract);
      }),
    );
  });

  it("do not find a run by an inherited name", () => {
    expect(runFactsFromSpans("", [rootSpan(run)]).factCount).toBe(0);
    expect(runFactsFromSpans("constructor", [rootSpan(run)]).factCount).toBe(0);
  });

  it("give numbers that the store can hold", () => {
    const attributes = { [semconv.ATTR_TIMEOUT_SECONDS]: "1e300", [semconv.ATTR_ATTEMPT]: "1e300" };
    const root = rootSpan(run, {}, { attributes, fields: { Duration: "18446744073709551615" } });
    const facts = runFactsFromSpans(run.runId, [root]);
    expect(facts).toMatchObject({ timeoutSeconds: 2_592_000, attempt: 2 ** 32 - 1 });
    expect(facts.closeUnixNano).toBe("9223372036854775807");
    for (const odd of ["-1", "0", "NaN", "Infinity", "1.5", "x"]) {
      const told = runFactsFromSpans(run.runId, [startSpan(run, { attributes: { [semconv.ATTR_ATTEMPT]: odd } })]);
      expect(Number.isInteger(told.attempt) && told.attempt >= 1).toBe(true);
    }
  });
});
