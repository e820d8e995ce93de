import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { insertNative } from "../native-insert.ts";
import { applyRetention } from "../retention/apply-retention.ts";
import { parseRetention } from "../retention/retention.ts";
import { createRunReader, type RunReader } from "../run-reader.ts";
import { createRunStore } from "../run-store.ts";
import { readMigrations } from "../schema.ts";
import { createStore, type Store } from "../store.ts";
import { startClusterFixture, type ClusterFixture } from "../testing/cluster-fixture.ts";
import { logRow, runRow, spanRow } from "../testing/row-samples.ts";
import { createClusterRenderer } from "./render-cluster.ts";

const cluster = { cluster: "main" };
let fixture: ClusterFixture;
/** One store per server, as two collectors have them. */
let stores: Store[];
let readers: RunReader[];
beforeAll(async () => {
  fixture = await startClusterFixture();
  stores = fixture.nodes.map(({ url }) => createStore({ url, cluster }));
  readers = stores.map((store) => createRunReader(store));
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await fixture.close();
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const traceId = (index: number) => String(index).padStart(32, "0");
const perNode = (table: string) =>
  Promise.all(fixture.nodes.map(async (node) => Number(await node.run(`SELECT count() FROM ${table}_local`))));
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe("the rendered migrations", () => {
  it("are what the engine's own parser takes, each of them", async () => {
    const renderer = createClusterRenderer({ cluster: "main", database: "default" });
    for (const sql of (await readMigrations())
      .flatMap((one) => one.statements)
      .flatMap((one) => renderer.render(one))) {
      const literal = sql.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
      const canonical = await fixture.nodes[0]!.run(`SELECT formatQuerySingleLine('${literal}')`);
      if (!/^(--.*\n)*\s*INSERT/.test(sql)) expect(canonical).toContain("ON CLUSTER main");
    }
  });

  it("leave tables in which the service finds its columns", async () => {
    for (const store of stores) await store.verifySchema();
  });
});

describe("the tables of a cluster", () => {
  it("are not taken for those of one server, nor the other way round", async () => {
    const { url } = fixture.nodes[0]!;
    const alone = createStore({ url });
    await expect(alone.migrate()).rejects.toThrow(
      "were made for a cluster, and RUNPROOF_CLICKHOUSE_CLUSTER is not set",
    );
    await alone.close();
    await fixture.nodes[0]!.run("CREATE DATABASE single ENGINE = Atomic");
    const single = createStore({ url, database: "single" });
    await single.migrate();
    await single.close();
    const clustered = createStore({ url, database: "single", cluster });
    await expect(clustered.migrate()).rejects.toThrow(
      "were made for one server, and RUNPROOF_CLICKHOUSE_CLUSTER is set",
    );
    await clustered.close();
  });

  it("get their retention where the rows are stored, once", async () => {
    const retention = parseRetention({ otel_logs: 30, runproof_quarantine: 5 });
    expect(await applyRetention(fixture.target, retention)).toHaveLength(2);
    expect(await applyRetention(fixture.target, retention)).toEqual([]);
    const sql =
      "SELECT name AS id FROM system.tables WHERE engine_full LIKE '% TTL %' AND name != 'runproof_collectors' AND name NOT LIKE 'runproof_canary%' ORDER BY id";
    for (const node of fixture.nodes) expect(await node.run(sql)).toBe("otel_logs_local\nrunproof_quarantine");
    await applyRetention(fixture.target, parseRetention({}));
    for (const node of fixture.nodes) expect(await node.run(sql)).toBe("");
  });
});

describe("a cluster of two shards", () => {
  it("keeps a trace on one shard, with its times, and shows all of them everywhere", async () => {
    const rows = numbers(40).flatMap((trace) =>
      numbers(5).map((span) => spanRow({ TraceId: traceId(trace), SpanId: String(span).padStart(16, "0") })),
    );
    await stores[0]!.insertSpans(rows, "spans-1");
    await stores[1]!.insertSpans(rows, "spans-1");
    const counts = await perNode("otel_traces");
    expect(sum(counts)).toBe(200);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    for (const reader of readers) {
      for (const trace of numbers(3)) expect(await reader.spansOfRun(traceId(trace))).toHaveLength(5);
    }
    const split = "SELECT TraceId FROM otel_traces GROUP BY TraceId HAVING uniqExact(_shard_num) > 1";
    expect(await stores[0]!.query(split)).toEqual([]);
    const times = "SELECT count() AS n FROM otel_traces_trace_id_ts FINAL";
    expect(await stores[1]!.query(times)).toEqual([{ n: 40 }]);
  });

  it("has one current row and one history of a run, wherever its versions were inserted", async () => {
    const runs = numbers(20).map((index) => runRow({ run_id: `run-${index}`, trace_id: traceId(index) }));
    await stores[0]!.insertRuns(runs, "runs-1");
    await stores[1]!.insertRuns(
      runs.map((run) => ({ ...run, status: "passed", version: 2 })),
      "runs-2",
    );
    await stores[1]!.insertRuns(runs, "runs-1");
    expect(Math.min(...(await perNode("runproof_runs")))).toBeGreaterThan(0);
    for (const reader of readers) {
      expect(await reader.currentRuns({ status: "started" })).toEqual([]);
      expect(await reader.currentRuns({ status: "passed" })).toHaveLength(20);
      expect(await reader.runHistory("run-7")).toHaveLength(2);
    }
    for (const store of stores) await createRunStore(store).unsettledRuns(0);
  });

  it("sends a log record without a trace to the same shard each time, and not all of them to one", async () => {
    const rows = numbers(40).map((index) => logRow({ TraceId: "", Body: `line ${index}` }));
    await stores[0]!.insertLogs(rows, "logs-1");
    await stores[1]!.insertLogs(rows, "logs-1");
    const counts = await perNode("otel_logs");
    expect(sum(counts)).toBe(40);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    // Under another name all of them are stored again, each beside its twin.
    await stores[1]!.insertLogs(rows, "logs-2");
    const split = "SELECT Body FROM otel_logs GROUP BY Body HAVING uniqExact(_shard_num) > 1 OR count() != 2";
    expect(await stores[0]!.query(split)).toEqual([]);
  });

  it("refuses a block while a shard is away and stores it once when it is back", async () => {
    const rows = numbers(40).map((index) => spanRow({ TraceId: traceId(1_000 + index) }));
    await fixture.nodes[1]!.kill();
    await expect(stores[0]!.insertSpans(rows, "spans-2")).rejects.toThrow(/refused|connect|attempts/i);
    await expect(stores[0]!.query("SELECT count() FROM otel_traces")).rejects.toThrow(/refused|connect|attempts/i);
    await fixture.nodes[1]!.start();
    await stores[0]!.insertSpans(rows, "spans-2");
    const sql = "SELECT count() AS n, uniqExact(TraceId) AS traces FROM otel_traces WHERE TraceId >= {from:String}";
    expect(await stores[1]!.query(sql, { from: traceId(1_000) })).toEqual([{ n: 40, traces: 40 }]);
  });

  it("takes blocks of the Native format through any of its servers", async () => {
    // One column of type String with two rows.
    const text = (value: string) => [value.length, ...Buffer.from(value)];
    const block = Buffer.from([
      1,
      2,
      ...text("TraceId"),
      ...text("String"),
      ...text(traceId(2_000)),
      ...text(traceId(2_003)),
    ]);
    const target = {
      url: fixture.nodes[1]!.url,
      cluster,
      table: "otel_traces",
      columns: ["TraceId"],
      token: "native-1",
    };
    await insertNative(target, [block]);
    await insertNative(target, [block]);
    const sql = "SELECT count() AS n FROM otel_traces WHERE TraceId IN ({a:String}, {b:String})";
    expect(await stores[0]!.query(sql, { a: traceId(2_000), b: traceId(2_003) })).toEqual([{ n: 2 }]);
  });
});
