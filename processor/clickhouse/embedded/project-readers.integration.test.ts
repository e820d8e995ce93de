import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Scope } from "../../auth/identity.ts";
import { tokenSha256 } from "../../auth/tokens.ts";
import { createStore, type Store } from "../store.ts";
import { createEmbeddedEngine, type EmbeddedEngine } from "./embedded-engine.ts";

/**
 * What the engine itself keeps apart when rows of three projects lie in the same parts: the guard's refusals are tested by
 * statement, and behind them that a value of another project decides nothing, not even whether a statement fails.
 */

const PROJECTS = ["shop", "bank", "lab"] as const;
const tokenOf = (name: string): string => `token-of-${name}-0123456789`;
const entry = (name: string, project: string, ...scopes: Scope[]) => ({
  sha256: tokenSha256(tokenOf(name)),
  project,
  scopes,
});

let directory: string;
let engine: EmbeddedEngine;
let store: Store;
let service: ClickHouseClient;

const ROWS = 30_000;
/** Every value of a row says whose it is; rows of the projects alternate, so they share parts, granules and dictionaries. */
const PLANT_SPANS = `
  INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, ResourceAttributes, SpanAttributes,
    \`Events.Timestamp\`, \`Events.Name\`, \`Events.Attributes\`)
  SELECT now64(9) - number, concat('trace', toString(number % 90)), concat(p, '-canary-', toString(number)),
    concat(p, '-canary-name'), concat(p, '-canary-service'), map('runproof.project', p, concat(p, '-canary-key'), p),
    map('runproof.run.id', 'run-1', concat(p, '-canary-key'), concat(p, '-canary-value')),
    [now64(9)], [concat(p, '-canary-event')], [map(concat(p, '-canary-key'), p)]
  FROM (SELECT number, ['shop', 'bank', 'lab'][number % 3 + 1] AS p FROM numbers(${ROWS}))`;
const PLANT_LOGS = `
  INSERT INTO otel_logs (Timestamp, TraceId, ServiceName, Body, ResourceAttributes)
  SELECT now64(9) - number, 'trace1', concat(p, '-canary-service'), concat(p, '-canary-body'), map('runproof.project', p)
  FROM (SELECT number, ['shop', 'bank', 'lab'][number % 3 + 1] AS p FROM numbers(300))`;
const PLANT_RUNS = `
  INSERT INTO runproof_run_history (run_id, agent_name, project, version, status, failure_class, failure_reason)
  SELECT 'run-1', concat(p, '-canary-agent'), p, number, 'failed', concat(p, '-canary-class'), concat(p, '-canary-reason')
  FROM (SELECT number, ['shop', 'bank', 'lab'][number % 3 + 1] AS p FROM numbers(30))`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-projects-"));
  engine = createEmbeddedEngine({
    dataDirectory: directory,
    port: 0,
    tokens: [
      ...PROJECTS.map((project) => entry(project, project, "read")),
      entry("admin", "ops", "admin"),
      entry("writer", "shop", "write"),
      { ...entry("old", "shop", "read"), expiresAtMillis: 1 },
    ],
  });
  await engine.start();
  store = createStore({ url: engine.url(), ...engine.serviceCredentials() });
  await store.migrate();
  await store.verifySchema();
  service = createClient({
    url: engine.url(),
    ...engine.serviceCredentials(),
    log: { level: ClickHouseLogLevel.OFF },
  });
  for (const query of [PLANT_SPANS, PLANT_LOGS, PLANT_RUNS]) await service.command({ query });
});
afterAll(async () => {
  await Promise.all([service.close(), store.close()]);
  await engine.shutdown();
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Headers, too. */
  readonly all: string;
}

async function ask(sql: string, password: string, search = ""): Promise<Answer> {
  const response = await fetch(`${engine.url()}/?${search}`, {
    method: "POST",
    headers: { "X-ClickHouse-User": "any", "X-ClickHouse-Key": password },
    body: sql,
  });
  const body = await response.text();
  return { status: response.status, body, all: `${JSON.stringify([...response.headers])}\n${body}` };
}

const asShop = (sql: string, search?: string): Promise<Answer> => ask(sql, tokenOf("shop"), search);

function expectNothingForeign(answer: Answer): void {
  expect(answer.all).not.toMatch(/bank-canary|lab-canary/);
}

/** What `shop` gets to see: its 10,000 spans, 100 logs and 10 versions of its run. */
const SEEN: readonly (readonly [sql: string, answer: string])[] = [
  ["SELECT count() FROM otel_traces", "10000"],
  ["SELECT count(*) FROM default.otel_traces", "10000"],
  ['SELECT count(1) FROM "default".`otel_traces` FINAL', "10000"],
  ["SELECT count() FROM otel_logs", "100"],
  ["SELECT count() FROM otel_traces_trace_id_ts", "30"],
  ["SELECT count() FROM runproof_run_history", "10"],
  ["SELECT run_id, version, agent_name FROM runproof_runs", "run-1\t27\tshop-canary-agent"],
  ["SELECT run_id, version, agent_name FROM runproof_runs FINAL", "run-1\t27\tshop-canary-agent"],
  ["SELECT count() FROM runproof_contracts", "0"],
  ["SELECT count() FROM runproof_quarantine", "0"],
  [
    "SELECT min(ServiceName), max(ServiceName), uniq(SpanName), any(Project) FROM otel_traces",
    "shop-canary-service\tshop-canary-service\t1\tshop",
  ],
  ["SELECT groupUniqArray(Project) FROM (SELECT * FROM otel_traces)", "['shop']"],
  ["WITH t AS (SELECT * FROM otel_traces) SELECT uniqExact(ServiceName) FROM t", "1"],
  ["SELECT (SELECT count() FROM otel_traces)", "10000"],
  [
    "SELECT count() FROM otel_traces WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE ServiceName = 'bank-canary-service')",
    "0",
  ],
  ["SELECT 'bank-canary-service' IN (SELECT ServiceName FROM otel_traces) AS x FORMAT JSONCompactEachRow", "[0]"],
  ["SELECT uniqExact(b.ServiceName) FROM otel_logs AS a JOIN otel_traces AS b USING TraceId", "0"],
  [
    "SELECT uniqExact(b.Project) FROM otel_traces AS a GLOBAL ANY LEFT JOIN otel_logs AS b ON a.TraceId = b.TraceId",
    "1",
  ],
  ["SELECT count() FROM view(SELECT * FROM otel_traces)", "10000"],
  ["SELECT count() FROM (SELECT 1 FROM otel_traces UNION ALL SELECT 1 FROM otel_logs)", "10100"],
  ["SELECT count() FROM otel_traces WHERE Project = 'bank'", "0"],
  ["SELECT count() FROM otel_traces WHERE ResourceAttributes['runproof.project'] != 'shop' OR 1 = 1", "10000"],
  [
    "SELECT arraySort(groupUniqArrayArray(mapKeys(ResourceAttributes))) FROM otel_traces",
    "['runproof.project','shop-canary-key']",
  ],
  ["SELECT groupUniqArrayArray(Events.Name) FROM otel_traces", "['shop-canary-event']"],
  ["SELECT uniqExact(SpanId) FROM otel_traces ARRAY JOIN Events", "10000"],
  ["SELECT Project, count() FROM otel_traces GROUP BY ROLLUP(Project) ORDER BY 1", "\t10000\nshop\t10000"],
  ["SELECT count() FROM (SELECT Timestamp FROM otel_traces ORDER BY Timestamp DESC LIMIT 20000)", "10000"],
  ["SELECT count() OVER () FROM otel_logs LIMIT 1", "100"],
  ["SELECT exists(SELECT 1 FROM otel_logs WHERE Body LIKE 'bank%')", "0"],
  [
    "SHOW TABLES",
    Object.keys({
      otel_logs: 0,
      otel_traces: 0,
      otel_traces_trace_id_ts: 0,
      runproof_alerts: 0,
      runproof_canary_results: 0,
      runproof_canary_rounds: 0,
      runproof_contracts: 0,
      runproof_quarantine: 0,
      runproof_run_history: 0,
      runproof_runs: 0,
    }).join("\n"),
  ],
  ["EXISTS TABLE runproof_migrations", "0"],
  ["EXISTS TABLE default.otel_logs", "1"],
  // A value of another project would make these fail.
  ["SELECT max(factorial(20 + (ServiceName LIKE 'bank%'))) > 0 FROM otel_traces", "1"],
  ["SELECT count() FROM otel_traces WHERE factorial(20 + (SpanName = 'bank-canary-name')) > 0", "10000"],
  ["SELECT count() FROM otel_traces WHERE factorial(20 + (Project = 'lab')) > 0", "10000"],
  ["SELECT count() FROM otel_traces WHERE throwIf(SpanId LIKE 'bank%') = 0", "10000"],
  ["SELECT count() FROM otel_logs WHERE throwIf(Body LIKE 'bank%') = 0 AND intDiv(1, Body NOT LIKE 'lab%') = 1", "100"],
  ["SELECT count() FROM runproof_runs WHERE factorial(20 + (agent_name LIKE 'bank%')) > 0", "1"],
  ["SELECT count() FROM runproof_runs WHERE throwIf(failure_reason LIKE 'bank%') = 0", "1"],
  ["SELECT count() FROM runproof_runs WHERE factorial(20 + (failure_class LIKE 'bank%')) > 0", "1"],
  ["SELECT count() FROM runproof_run_history WHERE factorial(20 + (failure_class LIKE 'bank%')) > 0", "10"],
  [
    "SELECT max(arrayMap(k -> factorial(20 + (k LIKE 'bank%')), mapKeys(ResourceAttributes))) != [] FROM otel_traces",
    "1",
  ],
  ["SELECT max(arrayMap(k -> factorial(20 + (k LIKE 'bank%')), Events.Name)) != [] FROM otel_traces", "1"],
  [
    "SELECT max(arrayMap(m -> arrayMap(k -> factorial(20 + (k LIKE 'bank%')), mapKeys(m)), Events.Attributes)) != [] FROM otel_traces",
    "1",
  ],
  ["SELECT count() FROM otel_traces_trace_id_ts WHERE factorial(20 + (Project != 'shop')) > 0", "30"],
];

/** Refused or failing: the statement, and a part of what is said. */
const REFUSED: readonly (readonly [sql: string, error: string])[] = [
  ["SELECT * FROM runproof_migrations", "UNKNOWN_TABLE"],
  ["SELECT * FROM default.runproof_monitor_gaps", "UNKNOWN_TABLE"],
  ["SELECT * FROM otel_traces_trace_id_ts_mv", "UNKNOWN_TABLE"],
  ["SELECT * FROM `.inner.x`", "UNKNOWN_TABLE"],
  ...["processes", "parts", "tables", "columns", "text_log", "query_log", "errors", "one", "users", "settings"].map(
    (table) => [`SELECT * FROM system.${table}`, "ACCESS_DENIED"] as const,
  ),
  ["SELECT * FROM `system`.`parts`", "ACCESS_DENIED"],
  ["SELECT * FROM SyStEm.parts", "ACCESS_DENIED"],
  ['SELECT * FROM "information_schema"."tables"', "ACCESS_DENIED"],
  ["SELECT * FROM INFORMATION_SCHEMA.TABLES", "ACCESS_DENIED"],
  ["SELECT (SELECT sum(rows) FROM system/**/.parts)", "ACCESS_DENIED"],
  ["SELECT 1 IN system.numbers", "ACCESS_DENIED"],
  ["SELECT * FROM merge('default', '.*')", "ACCESS_DENIED"],
  ["SELECT * FROM merge('.*')", "ACCESS_DENIED"],
  ["SELECT * FROM mergeTreeIndex('default', 'otel_traces')", "ACCESS_DENIED"],
  ["SELECT * FROM loop('default', 'otel_traces')", "ACCESS_DENIED"],
  ["SELECT * FROM dictionary('default.x')", "ACCESS_DENIED"],
  ["SELECT * FROM remote('127.0.0.1', default.otel_traces)", "ACCESS_DENIED"],
  ["SELECT dictGet('default.x', 'a', 1)", "ACCESS_DENIED"],
  ["SELECT joinGet('default.otel_traces', 'TraceId', 'x')", "ACCESS_DENIED"],
  ["SELECT joinGetOrNull('runproof_migrations', 'name', 'x')", "ACCESS_DENIED"],
  ["SHOW PROCESSLIST", "ACCESS_DENIED"],
  ["SHOW DATABASES", "ACCESS_DENIED"],
  ["SHOW TABLES FROM default", "ACCESS_DENIED"],
  ["SHOW CREATE TABLE otel_traces", "ACCESS_DENIED"],
  ["SHOW GRANTS", "ACCESS_DENIED"],
  ["EXPLAIN SELECT * FROM otel_traces", "ACCESS_DENIED"],
  ["EXPLAIN ESTIMATE SELECT * FROM otel_traces", "ACCESS_DENIED"],
  ["SELECT * FROM (EXPLAIN ESTIMATE SELECT * FROM otel_traces)", "ACCESS_DENIED"],
  ["SELECT * FROM viewExplain('EXPLAIN ESTIMATE', '', (SELECT * FROM otel_traces))", "ACCESS_DENIED"],
  ["SELECT DISTINCT _part FROM otel_traces", "UNKNOWN_IDENTIFIER"],
  ["SELECT max(_part_offset) FROM otel_traces", "UNKNOWN_IDENTIFIER"],
  ["SELECT max(_block_number) FROM otel_traces", "UNKNOWN_IDENTIFIER"],
  ["SELECT count() FROM otel_traces PREWHERE throwIf(Project != 'shop') = 0", "ILLEGAL_PREWHERE"],
  ["SELECT lowCardinalityKeys(ServiceName) FROM otel_traces", "ACCESS_DENIED"],
  ["SELECT max(blockNumber()), max(rowNumberInBlock()) FROM otel_traces", "ACCESS_DENIED"],
  ["SELECT * FROM otel_traces FORMAT JSONEachRowWithProgress", "ACCESS_DENIED"],
  ["SELECT toUInt64(max(SpanName)) FROM otel_traces", "shop-canary-name"],
  ["SELECT throwIf(SpanId LIKE 'shop%') FROM otel_traces", "FUNCTION_THROW"],
  ["KILL QUERY WHERE 1", "READONLY"],
  ["SET ROLE service", "READONLY"],
  ["SET readonly = 0", "READONLY"],
  ["SELECT 1 SETTINGS log_comment = 'x'", "READONLY"],
  [
    "SELECT * FROM (SELECT count() FROM otel_traces SETTINGS log_comment = '012345678901234567890123456789012345/bank')",
    "READONLY",
  ],
  ["INSERT INTO otel_traces (TraceId) VALUES ('x')", "READONLY"],
  ["EXECUTE AS project_rows SELECT 1", "READONLY"],
  ["SELECT * FROM {d:Identifier}.{t:Identifier}", "ACCESS_DENIED"],
];

describe("a reader of one project", () => {
  it.each(SEEN)("sees its own: %s", async (sql, expected) => {
    const answer = await asShop(sql);
    expect(answer.body.trimEnd()).toBe(expected.trimEnd());
    expect(answer.status).toBe(200);
    expectNothingForeign(answer);
  });

  it.each(REFUSED)("gets no more: %s", async (sql, expected) => {
    const answer = await asShop(sql);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).toContain(expected);
    expectNothingForeign(answer);
    expect(answer.body).not.toMatch(/MergeTree|reading from part|store\//);
  });

  it("learns from no figure how much others have stored", async () => {
    const own = "SELECT 1 FROM otel_traces WHERE TraceId = 'trace0' AND Project = 'bank'";
    const answer = await asShop(`${own} FORMAT JSON`);
    expect(answer.body).not.toContain("statistics");
    expect(answer.all).toContain('\\"read_rows\\":\\"0\\",\\"read_bytes\\":\\"0\\"');
  });

  it.each([
    "max_rows_to_read=1",
    "max_bytes_to_read=1",
    "max_memory_usage=1000",
    "output_format_write_statistics=1",
    "log_comment=x",
    "role=service",
    "default_format=JSONEachRowWithProgress",
    "default_format=Template&format_template_resultset_format=x",
    "database=system",
    "database=information_schema",
    "readonly=0",
    "use_query_condition_cache=1",
    "additional_table_filters={}",
    "param_d=system&param_t=parts",
  ])("is not helped by the URL: %s", async (search) => {
    const sql = search.startsWith("param")
      ? "SELECT * FROM {d:Identifier}.{t:Identifier}"
      : "SELECT count() FROM otel_traces";
    const answer = await asShop(sql, search);
    if (search.startsWith("role")) expect(answer.body).toBe("10000\n");
    else expect(answer.status).toBeGreaterThanOrEqual(400);
    expectNothingForeign(answer);
  });

  it("reads under each project's token that project and no other", async () => {
    for (const project of PROJECTS) {
      const { body } = await ask("SELECT DISTINCT Project, ServiceName FROM otel_traces", tokenOf(project));
      expect(body).toBe(`${project}\t${project}-canary-service\n`);
    }
  });

  it("leaves no rights behind for those who come after", async () => {
    const count = "SELECT count() FROM otel_traces";
    const asked = Array.from({ length: 30 }, (_, at) => ask(count, tokenOf(["shop", "admin", "bank"][at % 3]!)));
    const bodies = (await Promise.all(asked)).map(({ body }) => body);
    expect(bodies).toEqual(bodies.map((_, at) => (at % 3 === 1 ? `${ROWS}\n` : "10000\n")));
    expect(await store.query("SELECT count() AS n FROM otel_traces")).toEqual([{ n: ROWS }]);
  });

  it("sees columns that a later migration adds", async () => {
    await service.command({ query: "ALTER TABLE otel_logs ADD COLUMN Later LowCardinality(String) DEFAULT 'later'" });
    expect((await asShop("SELECT DISTINCT Later FROM otel_logs")).body).toBe("later\n");
    await service.command({ query: "ALTER TABLE otel_logs DROP COLUMN Later" });
    expect((await asShop("SELECT DISTINCT Later FROM otel_logs")).body).toContain("UNKNOWN_IDENTIFIER");
  });
});

it("keeps to its rows when the engine's process was killed and started again", { timeout: 240_000 }, async () => {
  const killed = engine.pid() ?? 0;
  process.kill(killed, "SIGKILL");
  const count = "SELECT count() FROM otel_traces";
  await expect.poll(() => asShop(count).then(({ body }) => body, String)).toBe("10000\n");
  expect(engine.pid()).not.toBe(killed);
  expect((await ask(count, tokenOf("admin"))).body).toBe(`${ROWS}\n`);
});

it("what the service writes reaches the views that depend on it, whoever it belongs to", async () => {
  const rows = await store.query(
    "SELECT Project, count() AS n FROM otel_traces_trace_id_ts FINAL GROUP BY Project ORDER BY Project",
  );
  expect(rows).toEqual(["bank", "lab", "shop"].map((Project) => ({ Project, n: 30 })));
});

describe("an admin", () => {
  it("reads all projects and writes nothing", async () => {
    expect((await ask("SELECT count() FROM otel_traces", tokenOf("admin"))).body).toBe(`${ROWS}\n`);
    expect((await ask("SELECT count() > 0 FROM system.parts", tokenOf("admin"))).body).toBe("1\n");
    expect((await ask("TRUNCATE TABLE otel_traces", tokenOf("admin"))).body).toContain("READONLY");
  });
});

describe("nobody", () => {
  it("is told anything by a refusal: wrong, expired, write-only or missing token", async () => {
    const headers = (authorization?: string) => (authorization === undefined ? {} : { authorization });
    const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const shown = [
      undefined,
      "Bearer",
      "Digest x",
      ...["wrong", "writer", "old"].flatMap((name) => [
        `Bearer ${tokenOf(name)}`,
        basic("shop", tokenOf(name)),
        basic("service", tokenOf(name)),
      ]),
      basic("default", ""),
      basic("shop", tokenSha256(tokenOf("shop"))),
      `Bearer ${tokenSha256(tokenOf("shop"))}`,
    ];
    const answers = new Set<string>();
    for (const authorization of shown) {
      for (const sql of ["SELECT 1", "SELECT * FROM otel_traces", "DROP TABLE nothing"]) {
        const response = await fetch(engine.url(), { method: "POST", headers: headers(authorization), body: sql });
        const told = [...response.headers].filter(([name]) => !["date", "x-clickhouse-query-id"].includes(name));
        answers.add(`${response.status} ${JSON.stringify(told)} ${await response.text()}`);
      }
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^403 .*AUTHENTICATION_FAILED/s);
  });
});
