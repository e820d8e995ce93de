import { expect, it } from "vitest";
import * as semconv from "../../../instrumentation/semconv.ts";
import { runRow } from "../../clickhouse/testing/row-samples.ts";
import { attribute } from "../../evidence/span-attributes.ts";
import { eventFields, foreignSpan, logOf } from "../../evidence/dialect/testing/step-span.ts";
import { traceRunId } from "../../evidence/trace-run-id.ts";
import { projectOfSpan } from "../../evidence/spans-by-project.ts";
import { callSpan, closeSpan, startSpan, testRun } from "../../testing/run-spans.ts";
import type { RunStore } from "../run-store.ts";
import type { SimulatedStore } from "./memory-run-store.ts";

const BYTES = { maxBytes: 48 * 1024 * 1024 };

/** What every store of runs keeps to: the model that simulations use, and the real one. */
export function describeRunStore(storeOf: () => SimulatedStore & Partial<RunStore>): void {
  it("counts the distinct spans of runs and sees an end", async () => {
    const store = storeOf();
    const [open, ended] = [testRun(), testRun()];
    const call = callSpan(open);
    await store.insertSpans([startSpan(open), call, startSpan(ended), closeSpan(ended)], open.runId);
    await store.insertSpans([call], `${open.runId}-again`);
    const census = await store.census([open, ended, testRun()].map(({ runId, traceId }) => ({ runId, traceId })));
    const byId = new Map(census.map((one) => [one.runId, one]));
    expect(census).toHaveLength(2);
    expect(byId.get(open.runId)).toMatchObject({ spans: 2, ended: false, traceId: open.traceId });
    expect(byId.get(ended.runId)).toMatchObject({ spans: 2, ended: true });
  });

  it("reads the spans of several runs at once, with their projects, and no others", async () => {
    const store = storeOf();
    const runs = [testRun(), testRun({ startMillis: Date.now() - 86_400_000 })];
    const other = testRun({ traceId: runs[0]?.traceId ?? "" });
    const stamp = { fields: { ResourceAttributes: { [semconv.ATTR_PROJECT]: "shop" } } };
    await store.insertSpans([...runs.map((run) => startSpan(run, stamp)), startSpan(other)], other.runId);
    const spans = await store.spansOfRuns(runs, BYTES);
    if (spans === "too_large") throw new Error("too large");
    expect(new Set(spans.map((span) => attribute(span, semconv.ATTR_RUN_ID)))).toEqual(
      new Set(runs.map(({ runId }) => runId)),
    );
    expect(spans.map(projectOfSpan)).toEqual(["shop", "shop"]);
    expect(attribute(spans[0]!, semconv.ATTR_CONTRACT)).not.toBe("");
  });

  it("shows the highest version of each run, of each project apart, and one token once", async () => {
    const store = storeOf();
    const run_id = testRun().runId;
    const row = (project: string, version: number) => runRow({ run_id, project, version, fact_count: version });
    await store.insertRuns([row("a", 3), row("b", 1)], `${run_id}-1`);
    await store.insertRuns([row("a", 2)], `${run_id}-2`);
    await store.insertRuns([row("b", 9)], `${run_id}-1`);
    const rows = await store.currentRunsOf([run_id, "nobody"]);
    expect(new Map(rows.map((one) => [one.project, one.version]))).toEqual(
      new Map([
        ["a", 3],
        ["b", 1],
      ]),
    );
  });

  it("pages through what is overdue and through what was stored in a time", async () => {
    const store = storeOf();
    const base = testRun().runId;
    const due = (name: string, deadline_at: number) => runRow({ run_id: `${base}-${name}`, deadline_at });
    await store.insertRuns([due("b", 2_000), due("a", 1_000), due("c", 9_000)], base);
    const names: string[] = [];
    let page = await store.overdueRuns({ now: 5_000, from: 0 });
    while (page.length > 0) {
      names.push(...page.map((row) => row.run_id).filter((id) => id.startsWith(base)));
      page = await store.overdueRuns({ now: 5_000, from: 0, after: page.at(-1)! });
    }
    expect(names).toEqual([`${base}-a`, `${base}-b`]);

    const began = Date.now();
    const run = testRun();
    await store.insertSpans([startSpan(run)], run.runId);
    const found = async (from: number, to: number): Promise<boolean> => {
      const window = { from, to, notBefore: 0 };
      for (let some = await store.runsStoredWithin(window); some.length > 0;) {
        if (some.some(({ runId }) => runId === run.runId)) return true;
        some = await store.runsStoredWithin(window, some.at(-1)!);
      }
      return false;
    };
    expect(await found(began - 2_000, began + 60_000)).toBe(true);
    expect(await found(began - 90_000, began - 30_000)).toBe(false);
  });

  it("counts and reads a trace of another instrumentation as a run, with its events, and none with a run of ours", async () => {
    const store = storeOf();
    const [{ traceId, runId }, own] = [testRun(), testRun()];
    const stamp = { TraceId: traceId, Timestamp: String(BigInt(Date.now()) * 1_000_000n) };
    const id = (digit: string): string => digit.repeat(16);
    const event = eventFields([["gen_ai.choice", { index: 0 }]]);
    const entry = foreignSpan({ "http.route": "/" }, { ...stamp, SpanId: id("a") });
    const step = foreignSpan(
      { "gen_ai.operation.name": "chat" },
      { ...stamp, SpanId: id("b"), ParentSpanId: id("a"), ...event },
    );
    const within = { ...step, TraceId: own.traceId };
    await store.insertSpans([step, startSpan(own), within], runId);
    const trace = { runId: traceRunId(traceId), traceId };
    const others = [own, { runId: traceRunId(own.traceId), traceId: own.traceId }];
    const census = await store.census([trace, ...others].map((one) => ({ runId: one.runId, traceId: one.traceId })));
    expect(census.find((one) => one.runId === trace.runId)).toEqual({ ...trace, spans: 1, ended: false });
    expect(census.map((one) => one.runId).toSorted()).toEqual([trace.runId, own.runId].toSorted());

    await store.insertSpans([entry], `${runId}-entry`);
    const told = logOf(step, "gen_ai.user.message", { content: "otters?" });
    const verdict = logOf(step, "gen_ai.evaluation.result", "");
    await store.insertLogs([told, verdict, { ...told, EventName: "other" }], `${runId}-logs`);
    expect(await store.census([trace])).toEqual([{ ...trace, spans: 3, ended: true }]);
    const spans = await store.spansOfRuns([trace], BYTES);
    if (spans === "too_large") throw new Error("too large");
    const bySpan = new Map(spans.map((span) => [span.SpanId, span]));
    expect(bySpan.get(id("b"))).toMatchObject({ SpanAttributes: step.SpanAttributes, ...event });
    expect(bySpan.get(id("a"))).toMatchObject({ ParentSpanId: "", SpanKind: entry.SpanKind, ServiceName: "service" });
    const logs = await store.logsOfTraces([traceId], BYTES);
    expect(logs).toMatchObject([{ Body: told.Body, SpanId: id("b"), EventName: "gen_ai.user.message" }]);
    const window = { from: Date.now() - 60_000, to: Date.now() + 60_000, notBefore: 0 };
    const found: string[] = [];
    for (let page = await store.runsStoredWithin(window); page.length > 0;) {
      found.push(...page.map((one) => one.runId));
      page = await store.runsStoredWithin(window, page.at(-1)!);
    }
    expect(found.filter((one) => one === trace.runId)).toHaveLength(1);
  });

  it("keeps the newest beat of each collector, gaps and contracts", async () => {
    const store = storeOf();
    const id = testRun().runId;
    const at = Date.now();
    const beat = { collector_id: id, stored_through: at - 5, judged_through: at - 9, state: "up" } as const;
    await store.insertBeat({ ...beat, heard_at: at });
    await store.insertBeat({ ...beat, heard_at: at - 1_000, state: "left" });
    const own = (await store.beatsSince(at - 10)).filter((one) => one.collector_id === id);
    expect(own).toEqual([{ ...beat, heard_at: at }]);
    expect((await store.beatsSince(at + 1)).some((one) => one.collector_id === id)).toBe(false);
    await store.insertMonitorGaps([{ started_at: at - 9, ended_at: at, reason: id }], id);
    await store.insertMonitorGaps([{ started_at: at - 9, ended_at: at, reason: id }], id);
    expect((await store.gapsSince(at - 1)).filter(({ reason }) => reason === id)).toHaveLength(1);
    expect((await store.gapsSince(at)).filter(({ reason }) => reason === id)).toHaveLength(0);
    const contract = { contract_sha256: id, contract: "{}", agent_name: "", first_seen_at: 1 };
    await store.insertContracts([{ ...contract, project: "shop" }]);
    expect(await store.contractsOf([id])).toMatchObject([{ contract_sha256: id, contract: "{}", project: "shop" }]);
  });

  it("knows when a process was last heard, by its project", async () => {
    const store = storeOf();
    const instanceId = `process-${testRun().runId}`;
    const startMillis = Date.now();
    const run = testRun({ startMillis });
    const ResourceAttributes = { [semconv.ATTR_SERVICE_INSTANCE_ID]: instanceId, [semconv.ATTR_PROJECT]: "shop" };
    await store.insertSpans([startSpan(run, { fields: { ResourceAttributes } })], run.runId);
    const heard = (project: string, after: number) => store.heardLast([{ project, instanceId }], after);
    expect(await heard("shop", startMillis - 1)).toEqual([
      { project: "shop", instanceId, lastUnixMillis: startMillis },
    ]);
    expect(await heard("shop", startMillis)).toEqual([]);
    expect(await heard("bank", startMillis - 1)).toEqual([]);
  });
}
