import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createStore, type Store } from "../store.ts";
import { startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";
import { logRow, runRow, spanRow } from "../testing/row-samples.ts";
import { RETENTION_MARK, ttlOf } from "./apply-retention.ts";
import { parseRetention } from "./retention.ts";

let fixture: EngineFixture;
let store: Store;
beforeAll(async () => {
  fixture = await startEngineFixture();
  store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await fixture.close();
});

const DAY = 86_400_000;
const millisAgo = (days: number) => Date.now() - days * DAY;
const nanosAgo = (days: number) => `${millisAgo(days)}000000`;
const ids = async (sql: string) => (await store.query<{ id: string }>(sql)).map(({ id }) => id);
/** A merge over everything, which is when rows go. */
const merge = (table: string) => fixture.service.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
const describedTable = async (table: string) => {
  const sql = "SELECT engine_full, comment FROM system.tables WHERE name = {table:String} AND database = 'default'";
  return (await store.query<{ engine_full: string; comment: string }>(sql, { table }))[0]!;
};

const span = (project: string, days: number) =>
  spanRow({
    TraceId: `${project}${days}`.padStart(32, "0"),
    Timestamp: nanosAgo(days),
    SpanName: `${project}-${days}`,
    ResourceAttributes: { "runproof.project": project },
  });

describe("retention", () => {
  it("removes what is older than the rule of its project and leaves the rest", async () => {
    const rows = ["team-a", "team-b", "team-c", "other"].flatMap((project) =>
      [1, 10, 40].map((days) => span(project, days)),
    );
    await store.insertSpans(rows);
    const projects = {
      "team-a": { otel_traces: 7 },
      "team-b": { otel_traces: 90 },
      "team-c": { otel_traces: "forever" },
    };
    const changes = await store.applyRetention(parseRetention({ otel_traces: 30, projects }));
    expect(changes.map((line) => line.split(":")[0])).toEqual(["otel_traces", "otel_traces_trace_id_ts"]);
    await merge("otel_traces");
    await merge("otel_traces_trace_id_ts");
    const left = [
      ["other-1", "other-10", "team-a-1"],
      ["team-b-1", "team-b-10", "team-b-40"],
      ["team-c-1", "team-c-10", "team-c-40"],
    ];
    expect(await ids("SELECT SpanName AS id FROM otel_traces ORDER BY id")).toEqual(left.flat());
    expect(await ids("SELECT TraceId AS id FROM otel_traces_trace_id_ts")).toHaveLength(left.flat().length);
  });

  it("removes all versions of a run at once, logs and gaps by their own times", async () => {
    await store.insertRuns([
      runRow({ run_id: "old", received_at: millisAgo(40), judged_at: millisAgo(40) }),
      runRow({ run_id: "old", received_at: millisAgo(40), judged_at: millisAgo(1), version: 2 }),
      runRow({ run_id: "new", received_at: millisAgo(1) }),
    ]);
    await store.insertLogs([logRow({ Body: "old", Timestamp: nanosAgo(40) }), logRow({ Timestamp: nanosAgo(1) })]);
    await store.insertMonitorGaps([{ started_at: 1, ended_at: millisAgo(40), reason: "old" }]);
    await store.applyRetention(parseRetention({}, 30));
    for (const table of ["runproof_runs", "runproof_run_history", "otel_logs", "runproof_monitor_gaps"])
      await merge(table);
    expect(await ids("SELECT run_id AS id FROM runproof_runs")).toEqual(["new"]);
    expect(await ids("SELECT run_id AS id FROM runproof_run_history")).toEqual(["new"]);
    expect(await ids("SELECT Body AS id FROM otel_logs")).toEqual(["done"]);
    expect(await ids("SELECT reason AS id FROM runproof_monitor_gaps")).toEqual([]);
  });

  it("changes nothing the second time, and only what a rule changes after that", async () => {
    const rules = { otel_traces: 30, projects: { "team-a": { otel_traces: 7, runproof_runs: 3 } } };
    await store.applyRetention(parseRetention(rules, 60));
    expect(await store.applyRetention(parseRetention(rules, 60))).toEqual([]);
    expect(await store.applyRetention(parseRetention({ ...rules, otel_logs: 61 }, 60))).toEqual([
      "otel_logs: TTL toDateTime(Timestamp) + toIntervalDay(61)",
    ]);
  });

  it("drops whole parts of a day only while no project has a rule of its own", async () => {
    await store.applyRetention(parseRetention({ otel_traces: 30 }));
    expect((await describedTable("otel_traces")).engine_full).toContain("ttl_only_drop_parts = 1");
    await store.applyRetention(parseRetention({ otel_traces: 30, projects: { a: { otel_traces: 3 } } }));
    expect((await describedTable("otel_traces")).engine_full).toContain("ttl_only_drop_parts = 0");
  });

  it("without a rule removes the TTL it had set, and never one that somebody else set", async () => {
    await store.applyRetention(parseRetention({}, 30));
    expect((await describedTable("runproof_quarantine")).comment).toBe(RETENTION_MARK);
    const changes = await store.applyRetention(parseRetention({}));
    expect(changes).toContain("runproof_quarantine: kept for ever");
    expect(ttlOf((await describedTable("runproof_quarantine")).engine_full)).toBeUndefined();
    const query = "ALTER TABLE runproof_quarantine MODIFY TTL toDateTime(received_at) + toIntervalDay(5)";
    await fixture.service.command({ query });
    expect(await store.applyRetention(parseRetention({}))).toEqual([]);
    expect(ttlOf((await describedTable("runproof_quarantine")).engine_full)).toContain("toIntervalDay(5)");
  });
});
