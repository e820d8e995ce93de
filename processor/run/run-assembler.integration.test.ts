import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as semconv from "../../instrumentation/semconv.ts";
import { touchedRunFrom } from "../native/index.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { createRunStore } from "../clickhouse/run-store.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";
import { contract } from "../testing/evidence.ts";
import { callSpan, closeSpan, recordSpan, rootSpan, startSpan, testRun, type TestRun } from "../testing/run-spans.ts";
import { createRunAssembler, type RunAssembler, type RunAssemblerOptions } from "./run-assembler.ts";
import type { RunStore } from "./run-store.ts";

let fixture: EngineFixture;
let store: Store;
let runs: RunStore;
beforeAll(async () => {
  fixture = await startEngineFixture();
  store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  runs = createRunStore(store);
});
afterAll(async () => {
  await store.close();
  await fixture.close();
});

const told: string[] = [];
const errors: string[] = [];
const assemblers: RunAssembler[] = [];
beforeEach(() => {
  told.length = 0;
  errors.length = 0;
});
afterEach(async () => {
  for (const assembler of assemblers.splice(0)) await assembler.shutdown();
});

function newAssembler(options: Partial<RunAssemblerOptions> = {}): RunAssembler {
  const assembler = createRunAssembler({
    store: runs,
    graceMillis: 1_000,
    settleMillis: 20_000,
    onVerdict: (row, verdict) => void told.push(`${row.run_id} ${verdict.status}`),
    onError: (what, error) => errors.push(`${what}: ${String(error)}`),
    ...options,
  });
  assemblers.push(assembler);
  return assembler;
}

/** As the service does: durable first, then looked at. */
async function arrive(assembler: RunAssembler, ...spans: readonly SpanRow[]): Promise<void> {
  await store.insertSpans(spans);
  assembler.observe(spans.map(touchedRunFrom).filter((run) => run !== undefined));
}
const settled = async (assembler: RunAssembler, ...spans: readonly SpanRow[]): Promise<void> => {
  await arrive(assembler, ...spans);
  await assembler.idle();
};
const statusOf = async (run: TestRun): Promise<string | undefined> => (await runs.currentRun(run.runId))?.status;
const history = async (run: TestRun): Promise<string[]> =>
  (await runs.runHistory(run.runId)).map((row) => row.failure_class || row.status);
const events = (run: TestRun): Promise<{ label: string; span: string }[]> =>
  store.query(
    `SELECT LogAttributes['${semconv.ATTR_EVALUATION_SCORE_LABEL}'] AS label, SpanId AS span FROM otel_logs
     WHERE EventName = '${semconv.EVENT_EVALUATION_RESULT}' AND LogAttributes['${semconv.ATTR_RUN_ID}'] = {id:String}
     ORDER BY Timestamp`,
    { id: run.runId },
  );
const abandon = async (assembler: RunAssembler, run: TestRun): Promise<void> => {
  const row = await runs.currentRun(run.runId);
  if (row === undefined) throw new Error("the run is not known");
  assembler.abandon(row);
  await assembler.idle();
};

describe("the run assembler", () => {
  it("records a started run with its deadline by the collector's clock", async () => {
    const assembler = newAssembler();
    const run = testRun({ contract: contract({ limits: { timeoutSeconds: 7 } }), startMillis: 1_000_000_000_000 });
    const before = Date.now();
    await settled(assembler, startSpan(run));
    const row = await runs.currentRun(run.runId);
    expect(row).toMatchObject({ status: "started", agent_name: "agent", closed_at: null, trace_id: run.traceId });
    expect(row?.received_at).toBeGreaterThanOrEqual(before);
    expect((row?.deadline_at ?? 0) - (row?.received_at ?? 0)).toBe(8_000);
    expect(told).toEqual([]);
    expect(await events(run)).toEqual([]);
  });

  it("judges an ended run: a current row, its history, an event on the root span, one word to the listener", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run));
    await settled(assembler, callSpan(run), rootSpan(run, { toolCallCount: 1 }));
    expect(await runs.currentRun(run.runId)).toMatchObject({ status: "passed", root_span_id: run.rootSpanId });
    expect(await history(run)).toEqual(["started", "passed"]);
    expect(await events(run)).toEqual([{ label: "passed", span: run.rootSpanId }]);
    expect(told).toEqual([`${run.runId} passed`]);
  });

  it("judges a run of which only the start and the close record came", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run), callSpan(run), closeSpan(run, { toolCallCount: 1 }));
    expect(await runs.currentRun(run.runId)).toMatchObject({ status: "passed", root_span_id: run.rootSpanId });
  });

  it("tells the same verdict once, though close record and root span come apart", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run), callSpan(run), closeSpan(run, { toolCallCount: 1 }));
    await settled(assembler, rootSpan(run, { toolCallCount: 1 }));
    expect((await runs.currentRun(run.runId))?.closed_at).toBe(String(BigInt(run.startMillis + 400) * 1_000_000n));
    expect(await events(run)).toHaveLength(1);
    expect(told).toEqual([`${run.runId} passed`]);
  });

  it("waits for calls the end announced, and then judges once", async () => {
    const assembler = newAssembler();
    const run = testRun({
      contract: contract({ sideEffects: { expected: [{ tool: "send", times: { exactly: 2 } }] } }),
    });
    await settled(assembler, startSpan(run));
    await arrive(assembler, rootSpan(run, { toolCallCount: 2 }));
    await arrive(assembler, callSpan(run));
    // Both have been looked at, and no look may have come to a verdict.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await statusOf(run)).toBe("started");
    await settled(assembler, callSpan(run));
    expect(await history(run)).toEqual(["started", "passed"]);
    expect(told).toEqual([`${run.runId} passed`]);
  });

  it("says what is missing when announced calls never come, and judges again when they do", async () => {
    const assembler = newAssembler({ settleMillis: 300 });
    const run = testRun();
    await settled(assembler, startSpan(run), rootSpan(run, { toolCallCount: 1 }));
    const row = await runs.currentRun(run.runId);
    expect(row?.reasons).toContain("evidence_incomplete");
    expect(["inconclusive", "failed"]).toContain(row?.status);
    await settled(assembler, callSpan(run));
    expect(await statusOf(run)).toBe("passed");
    expect(await events(run)).toHaveLength(2);
  });

  it("is inconclusive when nothing but calls is missing", async () => {
    const assembler = newAssembler({ settleMillis: 300 });
    const run = testRun({ contract: contract({ tools: { allowed: ["send"] } }) });
    await settled(assembler, startSpan(run), rootSpan(run, { toolCallCount: 1 }));
    expect(await runs.currentRun(run.runId)).toMatchObject({
      status: "inconclusive",
      failure_class: "evidence_incomplete",
    });
  });

  it("makes no new version and no second event of a batch that comes twice", async () => {
    const assembler = newAssembler();
    const run = testRun();
    const spans = [
      startSpan(run),
      callSpan(run),
      rootSpan(run, { toolCallCount: 1 }),
      closeSpan(run, { toolCallCount: 1 }),
    ];
    await settled(assembler, ...spans);
    const first = await runs.runHistory(run.runId);
    await settled(assembler, ...spans.toReversed());
    expect(await runs.runHistory(run.runId)).toEqual(first);
    expect(await events(run)).toHaveLength(1);
  });

  it("closes a run the watchdog gives up, and overturns that when it ended well after all", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run));
    await abandon(assembler, run);
    expect(await runs.currentRun(run.runId)).toMatchObject({ status: "failed", failure_class: "run_abandoned" });
    await settled(assembler, callSpan(run), rootSpan(run, { toolCallCount: 1 }));
    expect(await statusOf(run)).toBe("passed");
    expect(await history(run)).toEqual(["started", "run_abandoned", "passed"]);
    expect((await events(run)).map(({ label }) => label)).toEqual(["failed", "passed"]);
  });

  it("does not give up a run that ended before the watchdog came", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run));
    // Stored, and not looked at yet.
    await store.insertSpans([callSpan(run), rootSpan(run, { toolCallCount: 1 })]);
    await abandon(assembler, run);
    expect(await history(run)).toEqual(["started", "passed"]);
  });

  it("learns why a run was abandoned from last words that come later", async () => {
    const assembler = newAssembler();
    const run = testRun();
    await settled(assembler, startSpan(run));
    await abandon(assembler, run);
    expect((await runs.currentRun(run.runId))?.failure_reason).toContain("(unknown)");
    await settled(assembler, recordSpan(run, semconv.RUN_EVENT_PROCESS_DIED));
    expect((await runs.currentRun(run.runId))?.failure_reason).toContain("(died)");
    expect(await history(run)).toEqual(["started", "run_abandoned", "run_abandoned"]);
  });

  it("calls it lost telemetry when the process outlived the run, and keeps that when stragglers come", async () => {
    const assembler = newAssembler();
    const instance = { ResourceAttributes: { [semconv.ATTR_SERVICE_INSTANCE_ID]: `instance-${Math.random()}` } };
    const run = testRun({ contract: contract({ limits: { timeoutSeconds: 0.001 } }) });
    await settled(assembler, startSpan(run, { fields: instance }));
    const later = testRun({ startMillis: Date.now() + 60_000 });
    await settled(assembler, startSpan(later, { fields: instance }));
    await abandon(assembler, run);
    expect((await runs.currentRun(run.runId))?.failure_reason).toContain("(telemetry_lost)");
    await settled(assembler, callSpan(run));
    expect((await runs.currentRun(run.runId))?.failure_reason).toContain("(telemetry_lost)");
  });

  it("carries on where the last one stopped: open, ended and late runs are found in the store", async () => {
    const left = { never: testRun(), ended: testRun(), abandoned: testRun(), short: testRun(), done: testRun() };
    const before = newAssembler({ settleMillis: 0 });
    await settled(before, startSpan(left.ended), startSpan(left.abandoned), startSpan(left.done));
    await settled(before, callSpan(left.done), rootSpan(left.done, { toolCallCount: 1 }));
    await settled(before, startSpan(left.short), rootSpan(left.short, { toolCallCount: 1 }));
    await abandon(before, left.abandoned);
    await before.shutdown();
    const stored = [startSpan(left.never), callSpan(left.short)];
    for (const run of [left.ended, left.abandoned]) stored.push(callSpan(run), rootSpan(run, { toolCallCount: 1 }));
    await store.insertSpans(stored);

    const after = newAssembler();
    const unsettled = await runs.unsettledRuns(Date.now() - 3_600_000);
    const found = new Set(unsettled.map((run) => run.runId));
    expect(found.has(left.done.runId)).toBe(false);
    for (const run of unsettled) after.revisit(run);
    await after.idle();
    expect(await statusOf(left.never)).toBe("started");
    expect(await statusOf(left.ended)).toBe("passed");
    expect(await history(left.abandoned)).toEqual(["started", "run_abandoned", "passed"]);
    expect(found.has(left.short.runId)).toBe(true);
    expect(await statusOf(left.short)).toBe("passed");
  });

  it("finds a contract that an earlier run brought, by its hash alone", async () => {
    const assembler = newAssembler();
    const first = testRun({ contract: contract({ sideEffects: { expected: [{ tool: "only-here" }] } }) });
    await settled(assembler, startSpan(first));
    const run = testRun({ contract: first.contract });
    const nameless = { attributes: { [semconv.ATTR_CONTRACT]: "" } };
    await settled(assembler, startSpan(run, nameless), callSpan(run, "only-here"), rootSpan(run, { toolCallCount: 1 }));
    expect(await statusOf(run)).toBe("passed");
    const unknown = testRun({ contract: contract({ sideEffects: { expected: [{ tool: "nobody-knows" }] } }) });
    await settled(assembler, startSpan(unknown, nameless), rootSpan(unknown));
    expect(await runs.currentRun(unknown.runId)).toMatchObject({
      status: "inconclusive",
      failure_class: "contract_missing",
    });
  });

  it("takes runs whose numbers no column holds", async () => {
    const assembler = newAssembler();
    const run = testRun();
    const attributes = { [semconv.ATTR_TIMEOUT_SECONDS]: "1e300", [semconv.ATTR_ATTEMPT]: "1e300" };
    const root = rootSpan(run, {}, { attributes, fields: { Duration: "18446744073709551615" } });
    await settled(assembler, startSpan(run, { attributes }), root);
    expect(errors).toEqual([]);
    expect(await statusOf(run)).toBeDefined();
  });

  it("finishes what the store refused in the middle: one version, one event, one word", async () => {
    const failingOnce = <Args extends readonly unknown[]>(insert: (...args: Args) => Promise<void>) => {
      let calls = 0;
      return async (...args: Args): Promise<void> => {
        // The block is stored and its answer is lost: the worst of both.
        await insert(...args);
        if (calls++ === 0) throw new Error("the connection was reset");
      };
    };
    const shaky: RunStore = {
      ...runs,
      insertRuns: failingOnce(runs.insertRuns),
      insertLogs: failingOnce(runs.insertLogs),
    };
    const assembler = newAssembler({ store: shaky });
    const run = testRun();
    await settled(assembler, startSpan(run), callSpan(run), rootSpan(run, { toolCallCount: 1 }));
    expect(errors).toHaveLength(2);
    expect(await history(run)).toEqual(["passed"]);
    expect(await events(run)).toHaveLength(1);
    expect(told).toEqual([`${run.runId} passed`]);
  });

  it("keeps another project's spans out of a verdict, though they name the same trace and run", async () => {
    const assembler = newAssembler();
    const run = testRun();
    const of = (project: string) => ({ fields: { ResourceAttributes: { [semconv.ATTR_PROJECT]: project } } });
    const root = rootSpan(run, { toolCallCount: 1 }, of("shop"));
    await settled(assembler, startSpan(run, of("shop")), callSpan(run, "send", of("shop")), root);
    const forbidden = callSpan(run, "pay", of("intruder"));
    const replaced = { ...root, ...of("intruder").fields, Duration: "900000000000" };
    await settled(assembler, startSpan(run, of("intruder")), forbidden, replaced);
    expect(await runs.currentRun(run.runId, "shop")).toMatchObject({ status: "passed", fact_count: 3 });
    expect((await runs.currentRun(run.runId, "intruder"))?.status).toBe("failed");
    expect(await runs.runHistory(run.runId, "shop")).toHaveLength(1);
    expect(await runs.spansOfRun(run.traceId, "shop")).toContainEqual(root);
  });

  it("judges the others of a batch when the store refuses the row of one", async () => {
    const [good, bad, alsoGood] = [testRun(), testRun(), testRun()];
    const picky: RunStore = {
      ...runs,
      async insertRuns(rows, token) {
        if (rows.some((row) => row.run_id === bad.runId)) throw new Error("not this one");
        await runs.insertRuns(rows, token);
      },
    };
    const assembler = newAssembler({ store: picky });
    await arrive(assembler, ...[good, bad, alsoGood].flatMap((run) => [startSpan(run), callSpan(run), rootSpan(run)]));
    await vi.waitFor(async () => {
      expect([await statusOf(good), await statusOf(alsoGood)]).toEqual(["passed", "passed"]);
    }, 60_000);
    expect(await statusOf(bad)).toBeUndefined();
    expect(errors[0]).toContain(bad.runId);
  });

  it("takes a call that another collector stored after the end was judged here", async () => {
    const [here, there] = [newAssembler(), newAssembler()];
    const run = testRun({ contract: contract({ tools: { allowed: ["send"] } }) });
    await settled(there, startSpan(run));
    await settled(here, callSpan(run), closeSpan(run, { toolCallCount: 1 }));
    const before = (await runs.runHistory(run.runId)).length;
    await settled(here, callSpan(run, "pay"));
    expect((await runs.runHistory(run.runId)).length).toBe(before + 1);
    expect(await runs.currentRun(run.runId)).toMatchObject({ status: "failed", failure_class: "tool_not_allowed" });
  });

  it("reports a listener that throws, and does not judge again for it", async () => {
    const onVerdict = vi.fn<NonNullable<RunAssemblerOptions["onVerdict"]>>(() => Promise.reject(new Error("no")));
    const assembler = newAssembler({ onVerdict });
    const run = testRun();
    await settled(assembler, startSpan(run), callSpan(run), rootSpan(run, { toolCallCount: 1 }));
    expect(onVerdict).toHaveBeenCalledTimes(1);
    expect(errors).toHaveLength(1);
    expect(await history(run)).toEqual(["passed"]);
  });
});
