import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RunStore } from "../run/run-store.ts";
import { createRunStore } from "./run-store.ts";
import { createRunReader, type RunReader } from "./run-reader.ts";
import { SchemaMismatchError, createStore, type Store } from "./store.ts";
import { startEngineFixture, type EngineFixture } from "./testing/engine-fixture.ts";
import { logRow, runRow, spanRow } from "./testing/row-samples.ts";

let fixture: EngineFixture;
let store: Store;
let reader: RunReader;
let runs: RunStore;
beforeAll(async () => {
  fixture = await startEngineFixture();
  store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  reader = createRunReader(store);
  runs = createRunStore(store);
});
afterAll(async () => {
  await store.close();
  await fixture.close();
});

const trace = (digit: string) => digit.repeat(32);
const count = async (table: string, where = "1") =>
  (await store.query<{ n: number }>(`SELECT count() AS n FROM ${table} WHERE ${where}`))[0]?.n;

describe("migrations", () => {
  it("apply once and leave tables that fit", async () => {
    await store.migrate();
    await store.migrate();
    await store.verifySchema();
    const names = await store.query<{ name: string }>("SELECT name FROM runproof_migrations ORDER BY name");
    const files = (await readdir(fileURLToPath(new URL("../../deploy/clickhouse", import.meta.url)))).toSorted();
    expect(names.map((row) => row.name)).toEqual(files.filter((file) => file.endsWith(".sql")));
  });

  it("refuse a file that was changed after it had been applied", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-sql-"));
    await cp(fileURLToPath(new URL("../../deploy/clickhouse", import.meta.url)), directory, { recursive: true });
    const file = join(directory, "0002_otel_logs.sql");
    await writeFile(file, `${await readFile(file, "utf8")}-- changed\n`);
    const options = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials() };
    const changed = createStore({ ...options, migrationsDirectory: directory });
    await expect(changed.migrate()).rejects.toThrow("0002_otel_logs.sql was changed");
    await changed.close();
    await rm(directory, { recursive: true });
  });
});

describe("the schema check", () => {
  it("names table, column, expected and found", async () => {
    await fixture.service.command({ query: "CREATE DATABASE other ENGINE = Atomic" });
    const options = { url: fixture.engine.url(), ...fixture.engine.serviceCredentials(), database: "other" };
    const other = createStore(options);
    await other.migrate();
    await other.verifySchema();
    await fixture.service.command({ query: "ALTER TABLE other.otel_traces MODIFY COLUMN Duration Int64" });
    await fixture.service.command({ query: "ALTER TABLE other.otel_logs DROP COLUMN ScopeVersion" });
    await fixture.service.command({ query: "DROP TABLE other.runproof_contracts" });
    const error = await other.verifySchema().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SchemaMismatchError);
    expect((error as SchemaMismatchError).problems).toEqual([
      "otel_traces.Duration: expected UInt64, found Int64",
      "otel_logs.ScopeVersion: expected String, found no such column",
      "table runproof_contracts is missing",
    ]);
    await other.close();
  });
});

describe("spans", () => {
  it("come back as they were inserted, hostile text included", async () => {
    const hostile = {
      sql: "'; DROP TABLE otel_traces; --\n\nDROP TABLE otel_traces\n\n",
      html: '<img src=x onerror="alert(1)">',
      nul: "a\u0000b",
      control: "\u001b[2J\r\n\t\\N \\0",
      "key with 'quotes' and \n lines": "☃ 𝄞 {x:String}",
    };
    const row = spanRow({
      TraceId: trace("1"),
      SpanName: "`; DROP TABLE x",
      SpanAttributes: hostile,
      "Events.Attributes": [hostile],
    });
    await store.insertSpans([row]);
    expect(await reader.spansOfRun(trace("1"))).toEqual([row]);
  });

  it("with a lone surrogate are stored as its escape", async () => {
    await store.insertSpans([spanRow({ TraceId: trace("2"), StatusMessage: "a\ud800b" })]);
    const [span] = await reader.spansOfRun(trace("2"));
    expect(span?.StatusMessage).toMatch(/^a.*b$/);
    expect(await count("otel_traces", `TraceId = '${trace("2")}'`)).toBe(1);
  });

  it.each(["0", "5", "999999999", "1000000000", "999999999999999999", "1795242245995000123", "4102444800000000001"])(
    "keep the start time %s to the nanosecond",
    async (nanos) => {
      const traceId = nanos.padStart(32, "a");
      const row = spanRow({ TraceId: traceId, Timestamp: nanos, "Events.Timestamp": [nanos], Duration: nanos });
      await store.insertSpans([row]);
      expect(await reader.spansOfRun(traceId)).toEqual([row]);
    },
  );

  it("sent twice are read once, the finished one, in the order of their start", async () => {
    const start = spanRow({ TraceId: trace("3"), SpanId: "1".repeat(16), Duration: "0" });
    const end = { ...start, Duration: "9" };
    const earlier = spanRow({ TraceId: trace("3"), SpanId: "2".repeat(16), Timestamp: "1795242245995000122" });
    await store.insertSpans([start, earlier]);
    await store.insertSpans([end]);
    await store.insertSpans([start, earlier]);
    expect(await reader.spansOfRun(trace("3"))).toEqual([earlier, end]);
  });

  it("fill the hot columns", async () => {
    const attributes = {
      "runproof.run.id": "hot",
      "runproof.event": "started",
      "gen_ai.agent.name": "a",
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "search",
      "gen_ai.request.model": "m",
      "error.type": "timeout",
    };
    await store.insertSpans([spanRow({ TraceId: trace("4"), SpanAttributes: attributes })]);
    const columns = "RunId, RunEvent, AgentName, Operation, ToolName, RequestModel, ErrorType";
    const [row] = await store.query<object>(`SELECT ${columns} FROM otel_traces WHERE RunId = 'hot'`);
    expect(Object.values(row ?? {})).toEqual(Object.values(attributes));
  });

  it("repeated under one token are stored once, in the table and through the view", async () => {
    const days = [0n, 86_400_000_000_000n, 172_800_000_000_000n];
    const rows = days.map((day, index) =>
      spanRow({ TraceId: trace(String(5 + index)), Timestamp: String(1795242245995000123n + day) }),
    );
    await store.insertSpans(rows, "block-7");
    await store.insertSpans(rows, "block-7");
    expect(await count("otel_traces", `TraceId IN ('${trace("5")}', '${trace("6")}', '${trace("7")}')`)).toBe(3);
    expect(await count("otel_traces_trace_id_ts", `TraceId = '${trace("6")}'`)).toBe(1);
  });
});

describe("log records", () => {
  it("are stored in every column", async () => {
    await store.insertLogs([logRow({ Body: "line\n\nDROP TABLE otel_logs", LogAttributes: { a: "'" } })]);
    const [row] = await store.query<object>("SELECT Body, LogAttributes, EventName, TraceFlags FROM otel_logs");
    expect(row).toEqual({
      Body: "line\n\nDROP TABLE otel_logs",
      LogAttributes: { a: "'" },
      EventName: "gen_ai.evaluation.result",
      TraceFlags: 1,
    });
  });
});

describe("runs", () => {
  it("have one current row, the highest version, whatever the order of arrival", async () => {
    const started = runRow({ run_id: "r1" });
    const passed = runRow({ run_id: "r1", status: "passed", closed_at: "1795242246995000001", version: 3 });
    const failed = runRow({ run_id: "r1", status: "failed", started_at: "1795242245995000000", version: 2 });
    await store.insertRuns([passed]);
    await store.insertRuns([started, failed]);
    await store.insertRuns([started]);
    expect(await reader.currentRun("r1")).toEqual(passed);
    expect(await reader.runHistory("r1")).toEqual([started, failed, passed]);
    expect(await reader.currentRun("nobody")).toBeUndefined();
  });

  it("are filtered by their current version", async () => {
    const base = { agent_name: "filtered", run_id: "f1" } as const;
    await store.insertRuns([
      runRow(base),
      runRow({ ...base, status: "passed", version: 2 }),
      runRow({ ...base, run_id: "f2", status: "failed", started_at: "1895242245995000123" }),
      runRow({ ...base, run_id: "f3", run_type: "canary", agent_name: "" }),
      runRow({ ...base, run_id: "f3", run_type: "canary", version: 2 }),
    ]);
    const ids = async (filter: Parameters<RunReader["currentRuns"]>[0]) =>
      (await reader.currentRuns({ agent: "filtered", ...filter })).map((run) => run.run_id);
    expect(await ids({})).toEqual(["f2", "f1", "f3"]);
    expect(await ids({ limit: 1 })).toEqual(["f2"]);
    expect(await ids({ status: "started" })).toEqual(["f3"]);
    expect(await ids({ status: "passed" })).toEqual(["f1"]);
    expect(await ids({ type: "canary" })).toEqual(["f3"]);
    expect(await ids({ since: 1_800_000_000_000 })).toEqual(["f2"]);
    expect(await ids({ status: "x' OR 1=1 --" })).toEqual([]);
  });

  it("that are open past their deadline are found, closed ones are not", async () => {
    const overdue = { deadline_at: 1000, agent_name: "overdue" };
    await store.insertRuns([
      runRow({ ...overdue, run_id: "o1" }),
      runRow({ ...overdue, run_id: "o2" }),
      runRow({ ...overdue, run_id: "o2", status: "failed", version: 2 }),
      runRow({ ...overdue, run_id: "o3", deadline_at: 3000 }),
    ]);
    const overdueAt = async (now: number) => {
      const first = await runs.overdueRuns({ now, from: 0 });
      const after = first.at(-1);
      return [...first, ...(after === undefined ? [] : await runs.overdueRuns({ now, from: 0, after }))];
    };
    expect((await overdueAt(2000)).map((run) => run.run_id)).toEqual(["o1"]);
    expect(await overdueAt(1000)).toEqual([]);
    expect(await runs.overdueRuns({ now: 2000, from: 1001 })).toEqual([]);
  });

  it("repeated under one token change neither history nor current rows", async () => {
    const run = runRow({ run_id: "once" });
    await store.insertRuns([run], "runs-1");
    await store.insertRuns([run], "runs-1");
    expect(await reader.runHistory("once")).toEqual([run]);
    expect(await count("runproof_runs", "run_id = 'once'")).toBe(1);
  });
});

describe("the other tables", () => {
  it("keep contracts, gaps and quarantined rows", async () => {
    await store.insertContracts([
      { contract_sha256: "c1", project: "", contract: '{"a":1}', agent_name: "x", first_seen_at: 5 },
    ]);
    expect(await reader.contract("c1")).toBe('{"a":1}');
    expect(await reader.contract("c2")).toBeUndefined();
    await store.insertMonitorGaps([{ started_at: 1, ended_at: 1_795_242_246_123, reason: "restart" }]);
    const gaps = "SELECT toUnixTimestamp64Milli(ended_at) AS ended FROM runproof_monitor_gaps";
    expect(await store.query(gaps)).toEqual([{ ended: 1_795_242_246_123 }]);
    await store.insertQuarantine([{ received_at: 1, project: "", signal: "logs", reason: "r", row_json: "{}" }]);
    expect(await count("runproof_quarantine", "signal = 'logs'")).toBe(1);
  });
});
