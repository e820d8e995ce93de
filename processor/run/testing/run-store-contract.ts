import { expect, it } from "vitest";
import * as semconv from "../../../instrumentation/semconv.ts";
import { runRow } from "../../clickhouse/testing/row-samples.ts";
import { attribute } from "../../evidence/span-attributes.ts";
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
