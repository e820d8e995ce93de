import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { parseRetention } from "../retention/retention.ts";
import { createStore } from "../store.ts";
import { startClusterFixture } from "../testing/cluster-fixture.ts";
import { startServerFixture, type ServerFixture } from "../testing/server-fixture.ts";
import { checkStore } from "./check-store.ts";

const ALL = [
  "SELECT, INSERT, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER TABLE, ALTER VIEW ON *.*",
  ...["MergeTree", "ReplacingMergeTree", "AggregatingMergeTree"].map((engine) => `TABLE ENGINE ON ${engine}`),
];
const USERS = [
  { name: "svc", password: "pw", grants: ALL },
  { name: "poor", password: "pw", grants: ["SELECT ON *.*", "INSERT ON *.*"] },
  { name: "frozen", password: "pw", grants: ALL, settings: { readonly: 1 } },
  { name: "careless", password: "pw", grants: ALL, settings: { insert_deduplicate: 0, async_insert: 1 } },
];

let server: ServerFixture;
beforeAll(async () => {
  server = await startServerFixture({ users: USERS });
});
afterAll(() => server.close());

let databases = 0;
/** A migrated database of its own. */
async function migrated(): Promise<string> {
  const database = `checked_${++databases}`;
  await server.run(`CREATE DATABASE ${database} ENGINE = Atomic`);
  const store = createStore({ url: server.url, database });
  await store.migrate();
  await store.close();
  return database;
}

const check = async (database: string, options: object = {}): Promise<string[]> => {
  const { findings } = await checkStore({ url: server.url, database, ...options });
  for (const { advice } of findings) expect(advice).not.toBe("");
  return findings.map(({ code, subject, problem }) => `${code} ${subject}: ${problem}`);
};

describe("a store that was just migrated", () => {
  it("has nothing wrong with it", async () => {
    const database = await migrated();
    expect(await check(database)).toEqual([]);
    expect(await check(database, { username: "svc", password: "pw" })).toEqual([]);
  });

  it("is told by version, database, user and address, without a secret", async () => {
    const url = server.url.replace("://", "://svc:pw@");
    const report = await checkStore({ url, username: "svc", password: "pw" });
    expect(report).toMatchObject({ url: server.url, database: "default", user: "svc", cluster: null });
    expect(report.version).toMatch(/^\d+\.\d+/);
    expect(JSON.stringify(report)).not.toContain("pw");
  });
});

describe("a schema that was changed", () => {
  const broken: [what: string, sql: (database: string) => string, finding: string][] = [
    [
      "a dropped column",
      (db) => `ALTER TABLE ${db}.otel_logs DROP COLUMN ScopeName`,
      "column otel_logs.ScopeName: the column is missing, expected String",
    ],
    [
      "a dropped hot column",
      (db) => `ALTER TABLE ${db}.otel_traces DROP COLUMN ToolName`,
      "column otel_traces.ToolName: the column is missing, expected LowCardinality(String)",
    ],
    [
      "another type",
      (db) => `ALTER TABLE ${db}.otel_traces MODIFY COLUMN Duration Int64`,
      "column otel_traces.Duration: the type is Int64, expected UInt64",
    ],
    [
      "a dropped table",
      (db) => `DROP TABLE ${db}.runproof_contracts`,
      "table runproof_contracts: the table is missing",
    ],
    [
      "a dropped view",
      (db) => `DROP TABLE ${db}.runproof_runs_mv`,
      "view runproof_runs_mv: the materialized view is missing: new rows do not reach runproof_runs",
    ],
    [
      "no deduplication window",
      (db) => `ALTER TABLE ${db}.otel_traces MODIFY SETTING non_replicated_deduplication_window = 0`,
      "setting otel_traces.non_replicated_deduplication_window: it is 0, expected 10000: a block that is sent again is stored twice",
    ],
    [
      "no fsync",
      (db) => `ALTER TABLE ${db}.runproof_run_history RESET SETTING fsync_after_insert`,
      "setting runproof_run_history.fsync_after_insert: it is not set, expected 1: an acknowledged row can be lost in a power cut",
    ],
    [
      "another engine and key",
      (db) =>
        `CREATE OR REPLACE TABLE ${db}.runproof_monitor_gaps (started_at DateTime64(3), ended_at DateTime64(3), reason String) ` +
        "ENGINE = ReplacingMergeTree ORDER BY reason",
      "engine runproof_monitor_gaps: the engine is ReplacingMergeTree, expected MergeTree",
    ],
    [
      "another key",
      (db) =>
        `CREATE OR REPLACE TABLE ${db}.runproof_monitor_gaps (started_at DateTime64(3), ended_at DateTime64(3), reason String) ` +
        "ENGINE = MergeTree ORDER BY reason SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1",
      "engine runproof_monitor_gaps: the sorting key is (reason), expected (started_at)",
    ],
    [
      "a TTL on what must stay",
      (db) => `ALTER TABLE ${db}.runproof_contracts MODIFY TTL toDateTime(first_seen_at) + toIntervalDay(1)`,
      "ttl runproof_contracts: rows of this table must stay, and it has a TTL",
    ],
    [
      "a migration that is not recorded",
      (db) => `DELETE FROM ${db}.runproof_migrations WHERE name = '0002_otel_logs.sql'`,
      "migration 0002_otel_logs.sql: it was not applied",
    ],
    [
      "a migration with another hash",
      (db) =>
        `ALTER TABLE ${db}.runproof_migrations UPDATE sha256 = 'x' WHERE name = '0001_otel_traces.sql' SETTINGS mutations_sync = 2`,
      "migration 0001_otel_traces.sql: it was applied with another content",
    ],
    [
      "a migration of a newer version",
      (db) => `INSERT INTO ${db}.runproof_migrations (name, sha256) VALUES ('9999_future.sql', 'x')`,
      "migration 9999_future.sql: this version of runproof does not know it",
    ],
  ];

  it.each(broken)("is found: %s", async (_what, sql, finding) => {
    const database = await migrated();
    await server.run(sql(database));
    expect(await check(database)).toEqual([finding]);
  });

  it("is found where nothing was ever migrated", async () => {
    await server.run("CREATE DATABASE IF NOT EXISTS bare ENGINE = Atomic");
    const findings = await check("bare");
    expect(findings).toContain("migration runproof_migrations: no migration was ever applied");
    expect(findings).toContain("table otel_traces: the table is missing");
  });
});

describe("a user", () => {
  it("without rights is told which, with the GRANT that helps", async () => {
    const { findings } = await checkStore({
      url: server.url,
      username: "poor",
      password: "pw",
      database: await migrated(),
    });
    expect(findings.map(({ subject }) => subject)).toEqual([
      "CREATE TABLE",
      "CREATE VIEW",
      "DROP TABLE",
      "DROP VIEW",
      "ALTER TABLE",
      "ALTER VIEW",
      "TABLE ENGINE",
      "TABLE ENGINE",
      "TABLE ENGINE",
    ]);
    expect(findings[0]?.advice).toMatch(/^GRANT CREATE TABLE ON `checked_\d+`\.\* TO `poor`$/);
  });

  it("whose profile only reads, or repeats what was sent again, is told so", async () => {
    const database = await migrated();
    expect(await check(database, { username: "careless", password: "pw" })).toEqual([
      "setting insert_deduplicate: it is 0: a block that is sent again is stored twice",
    ]);
    expect(await check(database, { username: "frozen", password: "pw" })).toEqual([
      "setting readonly: it is 1: nothing can be stored, or no setting sent",
    ]);
  });

  it("with a wrong password, or without the database, gets one finding", async () => {
    expect(await check("default", { username: "svc", password: "no" })).toEqual([
      `access authentication: the store at ${server.url} does not accept user svc`,
    ]);
    expect(await check("nowhere")).toEqual([
      `access database_missing: the store at ${server.url} has no database nowhere`,
    ]);
  });
});

describe("retention", () => {
  it("that was not applied is found, and not once it is", async () => {
    const database = await migrated();
    const retention = parseRetention({ otel_logs: 30 });
    expect(await check(database, { retention })).toEqual([
      "ttl otel_logs: the TTL is not set, the rules say toDateTime(Timestamp) + toIntervalDay(30)",
    ]);
    const store = createStore({ url: server.url, database });
    await store.applyRetention(retention);
    await store.close();
    expect(await check(database, { retention })).toEqual([]);
    expect(await check(database, { retention: parseRetention({}) })).toHaveLength(1);
  });
});

describe("a cluster", () => {
  it("that the server does not know, or that the tables were not made for, is found", async () => {
    const findings = await check(await migrated(), { cluster: { cluster: "nowhere" } });
    expect(findings).toContain("cluster nowhere: the server knows no such cluster");
    expect(findings).toContain("engine otel_traces: the engine is MergeTree, expected Distributed");
    expect(findings).toContain("table otel_traces_local: the table is missing");
  });

  it("without replication, macros or a record of migrations is found by its parts", async () => {
    const fixture = await startClusterFixture();
    try {
      const { findings } = await checkStore({ url: fixture.nodes[0]!.url, cluster: { cluster: "main" } });
      const subjects = findings.map(({ code, subject }) => `${code} ${subject}`);
      expect(subjects).toContain("cluster {shard}");
      expect(subjects).toContain("engine otel_traces_local");
      // The columns of both kinds of table are as they should be, and so are the views.
      expect(subjects.filter((one) => /^(column|view|table) /.test(one))).toEqual([]);
      expect(subjects).not.toContain("engine otel_traces");
    } finally {
      await fixture.close();
    }
  });
});

describe("migrations", () => {
  const options = (database: string) => ({ url: server.url, database });

  it("by several collectors at once leave what one of them leaves", async () => {
    await server.run("CREATE DATABASE together ENGINE = Atomic");
    const stores = [1, 2, 3, 4].map(() => createStore(options("together")));
    await Promise.all(stores.map((store) => store.migrate()));
    await Promise.all(stores.map((store) => store.close()));
    expect(await check("together")).toEqual([]);
  });

  it("of a newer version are an error that says so", async () => {
    const database = await migrated();
    const directory = await mkdtemp(join(tmpdir(), "runproof-older-"));
    await cp(
      fileURLToPath(new URL("../../../deploy/clickhouse/0001_otel_traces.sql", import.meta.url)),
      join(directory, "0001_otel_traces.sql"),
    );
    const older = createStore({ ...options(database), migrationsDirectory: directory });
    await expect(older.migrate()).rejects.toThrow(
      /0002_otel_logs\.sql was applied by a newer version of runproof; .*up to 0001_otel_traces\.sql, update it/,
    );
    await older.close();
    await rm(directory, { recursive: true });
  });
});
