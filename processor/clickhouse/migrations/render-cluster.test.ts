import { describe, expect, it } from "vitest";

import { readMigrations } from "../schema.ts";
import { TABLE_PLACEMENTS } from "../topology.ts";
import { createClusterRenderer } from "./render-cluster.ts";

const render = (...statements: readonly string[]): string[] => {
  const renderer = createClusterRenderer({ cluster: "main", database: "runproof" });
  return statements.flatMap((sql) => renderer.render(sql));
};

describe("a migration on a cluster", () => {
  it.each(["0001_otel_traces", "0002_otel_logs", "0003_runproof"])("is rendered from %s as before", async (name) => {
    const migrations = await readMigrations();
    const renderer = createClusterRenderer({ cluster: "main", database: "runproof" });
    // All of them, as in a start: what was said before decides what a name means.
    const rendered = new Map(
      migrations.map((one) => [one.name, one.statements.flatMap((sql) => renderer.render(sql)).join(";\n\n")]),
    );
    await expect(`${rendered.get(`${name}.sql`)};\n`).toMatchFileSnapshot(`testing/${name}.cluster.sql`);
  });

  it("gives every table of the migrations a place", async () => {
    const statements = (await readMigrations()).flatMap((one) => one.statements);
    const created = statements.flatMap((sql) => /^CREATE TABLE IF NOT EXISTS (\w+)/m.exec(sql)?.[1] ?? []);
    expect([...new Set([...created, "runproof_migrations"])].toSorted()).toEqual(
      Object.keys(TABLE_PLACEMENTS).toSorted(),
    );
    expect(() => render(...statements)).not.toThrow();
  });
});

describe("a table", () => {
  it("keeps the arguments of its engine and gets those of replication before them", () => {
    const engines = ["MergeTree", "MergeTree()", "ReplacingMergeTree(version)", "CollapsingMergeTree(a, b)"];
    const rendered = engines.map(
      (engine) => render(`CREATE TABLE IF NOT EXISTS runproof_runs (a Int8) ENGINE = ${engine}`)[0],
    );
    const path = "'/clickhouse/tables/runproof/{database}/{table}/{shard}', '{replica}'";
    expect(rendered.map((sql) => sql?.split("ENGINE = ")[1])).toEqual([
      `ReplicatedMergeTree(${path})`,
      `ReplicatedMergeTree(${path})`,
      `ReplicatedReplacingMergeTree(${path}, version)`,
      `ReplicatedCollapsingMergeTree(${path}, a, b)`,
    ]);
  });

  it("that is global has one set of replicas over all shards and no other table over it", () => {
    expect(render("CREATE TABLE IF NOT EXISTS runproof_contracts (a Int8) ENGINE = MergeTree ORDER BY a")).toEqual([
      "CREATE TABLE IF NOT EXISTS runproof_contracts ON CLUSTER `main` (a Int8) ENGINE = ReplicatedMergeTree(" +
        "'/clickhouse/tables/runproof/{database}/{table}/global', '{shard}-{replica}') ORDER BY a",
    ]);
  });

  it("is dropped with the one over it", () => {
    expect(render("DROP TABLE IF EXISTS runproof_runs")).toEqual([
      "DROP TABLE IF EXISTS runproof_runs ON CLUSTER `main` SYNC",
      "DROP TABLE IF EXISTS runproof_runs_local ON CLUSTER `main` SYNC",
    ]);
  });

  it("does not take its name from a comment, a string or a nested word", () => {
    const sql =
      "-- CREATE TABLE x; ENGINE = Log\nCREATE TABLE IF NOT EXISTS runproof_runs (\n  a String DEFAULT 'ENGINE = Log, runproof_runs'" +
      ",\n  ENGINE String\n) ENGINE = MergeTree ORDER BY a";
    const [local] = render(sql);
    expect(local).toContain("CREATE TABLE IF NOT EXISTS runproof_runs_local ON CLUSTER `main` (");
    expect(local).toContain("DEFAULT 'ENGINE = Log, runproof_runs'");
    expect(local).toContain("ENGINE = ReplicatedMergeTree(");
  });
});

describe("an ALTER", () => {
  it("of columns goes to both tables, of anything else to the stored one only", () => {
    const sql =
      "ALTER TABLE otel_traces ADD COLUMN IF NOT EXISTS A Map(String, String) DEFAULT map('a', 'b'),\n" +
      "  ADD INDEX IF NOT EXISTS i A TYPE minmax, MODIFY COLUMN B String CODEC(Delta(4), ZSTD(1)), MODIFY ORDER BY (a, b)";
    expect(render(sql)).toEqual([
      sql.replace("otel_traces", "otel_traces_local ON CLUSTER `main`"),
      "ALTER TABLE otel_traces ON CLUSTER `main`\n    ADD COLUMN IF NOT EXISTS A Map(String, String) DEFAULT map('a', 'b'),\n" +
        "    MODIFY COLUMN B String CODEC(Delta(4), ZSTD(1))",
    ]);
    const setting = "ALTER TABLE otel_logs MODIFY SETTING a = 1, b = 2";
    expect(render(setting)).toEqual(["ALTER TABLE otel_logs_local ON CLUSTER `main` MODIFY SETTING a = 1, b = 2"]);
  });

  it("of a view's query reads the stored tables", () => {
    const view = "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO runproof_runs AS SELECT * FROM runproof_run_history";
    expect(render(view, "ALTER TABLE v MODIFY QUERY SELECT 1 FROM runproof_run_history AS h").slice(1)).toEqual([
      "ALTER TABLE v ON CLUSTER `main` MODIFY QUERY SELECT 1 FROM runproof_run_history_local AS h",
    ]);
  });
});

describe("what is not understood", () => {
  const table = "CREATE TABLE IF NOT EXISTS runproof_runs";
  it.each([
    "CREATE TABLE runproof_runs (a Int8) ENGINE = MergeTree",
    "CREATE TABLE IF NOT EXISTS unknown_table (a Int8) ENGINE = MergeTree",
    "CREATE TABLE IF NOT EXISTS other.runproof_runs (a Int8) ENGINE = MergeTree",
    "CREATE TABLE IF NOT EXISTS `runproof_runs` (a Int8) ENGINE = MergeTree",
    "CREATE TABLE IF NOT EXISTS toString (a Int8) ENGINE = MergeTree",
    `${table} (a Int8) ENGINE = Log`,
    `${table} (a Int8) ENGINE = ReplicatedMergeTree('/x', 'r')`,
    `${table} AS otel_traces`,
    `${table} (a Int8) ENGINE = MergeTree SETTINGS non_replicated_other = 1`,
    "CREATE OR REPLACE TABLE runproof_runs (a Int8) ENGINE = MergeTree",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS v ENGINE = MergeTree AS SELECT 1",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO runproof_runs AS SELECT * FROM other.t",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO runproof_runs AS SELECT * FROM numbers(3)",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS v TO unknown_table AS SELECT * FROM otel_traces",
    "ALTER TABLE runproof_runs DELETE WHERE 1",
    "ALTER TABLE runproof_runs UPDATE a = 1 WHERE 1",
    "ALTER TABLE unknown_table ADD COLUMN a Int8",
    "ALTER TABLE runproof_runs ADD COLUMN a Int8, DELETE WHERE 1",
    "DROP TABLE IF EXISTS otel_traces, otel_logs",
    "DROP VIEW IF EXISTS never_made",
    "DROP DATABASE runproof",
    "INSERT INTO runproof_runs VALUES (1)",
    "INSERT INTO runproof_runs SELECT * FROM url('http://x')",
    "RENAME TABLE otel_traces TO otel_logs",
    "TRUNCATE TABLE otel_traces",
    "SELECT 1",
  ])("is an error: %s", (sql) => {
    // Each of them alone decides: what is before and after is in order.
    expect(() => render(sql)).toThrow(/cannot be rendered for a cluster|has no place in a cluster/);
  });

  it.each(["", "a b", "x`; DROP TABLE otel_traces --", "a'b", "{cluster}", "ä", "x".repeat(64)])(
    "is refused as a name: %s",
    (name) => {
      expect(() => createClusterRenderer({ cluster: name, database: "runproof" })).toThrow("no plain identifier");
      expect(() => createClusterRenderer({ cluster: "main", database: name })).toThrow("no plain identifier");
    },
  );
});
