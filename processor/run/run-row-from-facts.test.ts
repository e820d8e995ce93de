import { describe, expect, it } from "vitest";
import { runRow } from "../clickhouse/testing/row-samples.ts";
import { runFactsFromSpans } from "../evidence/run-facts-from-spans.ts";
import { callSpan, closeSpan, rootSpan, startSpan, testRun } from "../testing/run-spans.ts";
import { judge } from "../verdict/judge.ts";
import { judgesOtherwise, runRowFromFacts, saysSomethingNew } from "./run-row-from-facts.ts";

const TIMES = { receivedAt: 1_000, deadlineAt: 2_000, now: 3_000 };

describe("a version of the run record", () => {
  it("is `started` and open while there is no verdict", () => {
    const run = testRun();
    const row = runRowFromFacts(runFactsFromSpans(run.runId, [startSpan(run)]), null, TIMES);
    expect(row).toMatchObject({ status: "started", failure_class: "", closed_at: null, version: 1, evidence_rank: 0 });
    expect(row).toMatchObject({ received_at: 1_000, deadline_at: 2_000, judged_at: 3_000, trace_id: run.traceId });
  });

  it("carries the verdict, its reasons and its proofs", () => {
    const run = testRun();
    const spans = [startSpan(run), callSpan(run), rootSpan(run, { toolCallCount: 1 })];
    const facts = runFactsFromSpans(run.runId, spans);
    const row = runRowFromFacts(facts, judge(facts.evidence, facts.contract), TIMES);
    expect(row).toMatchObject({ status: "passed", failure_class: "", root_span_id: run.rootSpanId, fact_count: 3 });
    expect(JSON.parse(row.proofs)).not.toHaveLength(0);
    expect(row.closed_at).toBe(String(BigInt(run.startMillis) * 1_000_000n + 400_000_000n));
  });

  it("is the same, clocks aside, for the same facts", () => {
    const run = testRun();
    const spans = [startSpan(run), rootSpan(run), closeSpan(run)];
    const rowAt = (now: number, list: typeof spans) => {
      const facts = runFactsFromSpans(run.runId, list);
      return { ...runRowFromFacts(facts, judge(facts.evidence, facts.contract), { ...TIMES, now }), judged_at: 0 };
    };
    expect(rowAt(1, spans)).toEqual(rowAt(2, spans.toReversed()));
  });
});

describe("what is new", () => {
  const current = runRow({ version: 10, status: "started" });

  it("is the first version of a run", () => {
    expect(saysSomethingNew(current, undefined)).toBe(true);
    expect(judgesOtherwise(current, undefined)).toBe(true);
  });

  it("needs a higher version, whatever it says", () => {
    expect(saysSomethingNew({ ...current, status: "passed" }, current)).toBe(false);
    expect(saysSomethingNew({ ...current, status: "passed", version: 9 }, current)).toBe(false);
    expect(saysSomethingNew({ ...current, status: "passed", version: 11 }, current)).toBe(true);
  });

  it("is more than a number of facts and a clock", () => {
    expect(saysSomethingNew({ ...current, version: 11, fact_count: 9, judged_at: 99 }, current)).toBe(false);
    expect(saysSomethingNew({ ...current, version: 11, closed_at: "1" }, current)).toBe(true);
    expect(saysSomethingNew({ ...current, version: 11, artifact_refs: ["other"] }, current)).toBe(true);
  });

  it("is another verdict only when status, class or reasons differ", () => {
    expect(judgesOtherwise({ ...current, version: 11, closed_at: "1", root_span_id: "x" }, current)).toBe(false);
    for (const column of ["status", "failure_class", "failure_reason", "reasons", "proofs"] as const)
      expect(judgesOtherwise({ ...current, [column]: "other" }, current)).toBe(true);
  });
});
