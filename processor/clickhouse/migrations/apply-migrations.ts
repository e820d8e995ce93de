import { setTimeout as sleep } from "node:timers/promises";

import { ClickHouseError } from "@clickhouse/client";

import type { Migration } from "../schema.ts";
import { SchemaMismatchError } from "../schema-mismatch.ts";
import { DDL_SETTINGS, insertSettings, type ClusterTopology, type TopologySettings } from "../topology.ts";
import { createClusterRenderer } from "./render-cluster.ts";

/** What changing tables needs of a store. */
export interface DdlTarget {
  readonly database: string;
  readonly cluster?: ClusterTopology;
  /** Runs a statement that gives no rows. */
  command(sql: string, settings?: TopologySettings): Promise<unknown>;
  query<T>(sql: string): Promise<T[]>;
}

export const MIGRATIONS_TABLE = "runproof_migrations";

const CREATE_MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE} (
  name String, sha256 String, applied_at DateTime64(3) DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

const TRIES = 5;
const PAUSE_MILLIS = 300;

/** Two collectors at one table at the same time: the loser of such a race succeeds or finds the work done a moment later. */
const RACES: ReadonlySet<string> = new Set([
  "CANNOT_ASSIGN_ALTER",
  "DUPLICATE_COLUMN",
  "QUERY_WAS_CANCELLED",
  "REPLICA_ALREADY_EXISTS",
  "TABLE_ALREADY_EXISTS",
  "TABLE_IS_DROPPED",
  "UNKNOWN_TABLE",
]);

/**
 * Applies the migrations that have not been applied yet, for one server or for a cluster. Several collectors may do so
 * at once: every statement can be repeated, and what another one has recorded meanwhile is not applied again.
 *
 * @throws SchemaMismatchError when a file was changed after it had been applied, or when a newer version has been here
 */
export async function applyMigrations(target: DdlTarget, migrations: readonly Migration[]): Promise<void> {
  const rendered = renderedMigrations(migrations, target);
  const engines = await engineByTable(target);
  assertTopology(target, engines.get("otel_traces"));
  // Where all is done already, a start needs no right to change tables.
  if (!engines.has(MIGRATIONS_TABLE)) await run(target, renderedFor(target)(CREATE_MIGRATIONS_TABLE));
  assertFits(await appliedMigrations(target), migrations);
  for (const migration of rendered) await applyOne(target, migration);
}

/**
 * Tables made for one server cannot become those of a cluster, nor the other way round: with the wrong setting inserts
 * into `Distributed` tables would be acknowledged before they are stored.
 */
function assertTopology(target: DdlTarget, engine: string | undefined): void {
  if (engine === undefined || (engine === "Distributed") === (target.cluster !== undefined)) return;
  const made =
    engine === "Distributed"
      ? "a cluster, and RUNPROOF_CLICKHOUSE_CLUSTER is not set"
      : "one server, and RUNPROOF_CLICKHOUSE_CLUSTER is set";
  throw new SchemaMismatchError([`the tables of database ${target.database} were made for ${made}`]);
}

async function engineByTable(target: DdlTarget): Promise<ReadonlyMap<string, string>> {
  const sql = "SELECT name, engine FROM system.tables WHERE database = currentDatabase()";
  const rows = await target.query<{ name: string; engine: string }>(sql);
  return new Map(rows.map(({ name, engine }) => [name, engine]));
}

/** Hashes of the applied migrations by name. */
export async function appliedMigrations(target: Pick<DdlTarget, "query">): Promise<ReadonlyMap<string, string>> {
  const sql = `SELECT name, sha256 FROM ${MIGRATIONS_TABLE} ORDER BY name, applied_at`;
  const rows = await target.query<{ name: string; sha256: string }>(sql);
  return new Map(rows.map((row) => [row.name, row.sha256]));
}

/** The statements as the target takes them; names and hashes stay those of the files. */
function renderedMigrations(
  migrations: readonly Migration[],
  target: Pick<DdlTarget, "cluster" | "database">,
): Migration[] {
  const render = renderedFor(target);
  return migrations.map((migration) => ({ ...migration, statements: migration.statements.flatMap(render) }));
}

function renderedFor({ cluster, database }: Pick<DdlTarget, "cluster" | "database">): (sql: string) => string[] {
  if (cluster === undefined) return (sql) => [sql];
  const renderer = createClusterRenderer({ cluster: cluster.cluster, database });
  return (sql) => renderer.render(sql);
}

function assertFits(applied: ReadonlyMap<string, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map(({ name, sha256 }) => [name, sha256]));
  const problems = [...applied].flatMap(([name, sha256]) => {
    if (!known.has(name)) {
      const last = migrations.at(-1)?.name ?? "none";
      return [
        `${name} was applied by a newer version of runproof; this one knows the migrations up to ${last}, update it`,
      ];
    }
    if (known.get(name) === sha256) return [];
    return [`${name} was changed after it had been applied; add a new file instead`];
  });
  if (problems.length > 0) throw new SchemaMismatchError(problems);
}

/** Recorded last: a migration that was cut short is applied again from its top. */
async function applyOne(target: DdlTarget, migration: Migration): Promise<void> {
  for (let left = TRIES; ; left--) {
    if ((await appliedMigrations(target)).has(migration.name)) return;
    try {
      await run(target, migration.statements);
      break;
    } catch (error) {
      const isRace = error instanceof ClickHouseError && RACES.has(error.type ?? "");
      if (!isRace || left === 1) throw new Error(`${migration.name} cannot be applied`, { cause: error });
      await sleep(PAUSE_MILLIS);
    }
  }
  const record = `INSERT INTO ${MIGRATIONS_TABLE} (name, sha256) SELECT '${migration.name}', '${migration.sha256}'`;
  await target.command(record, insertSettings(target.cluster));
}

async function run(target: DdlTarget, statements: readonly string[]): Promise<void> {
  const settings = target.cluster === undefined ? {} : { ...DDL_SETTINGS, ...insertSettings(target.cluster) };
  for (const sql of statements) await target.command(sql, settings);
}
