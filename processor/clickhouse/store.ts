import { randomUUID } from "node:crypto";

import { ClickHouseError, ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client";

import { LOG_COLUMNS, SPAN_COLUMNS, type LogRow, type SpanRow } from "./rows.ts";
import {
  RUN_COLUMNS,
  type CollectorBeatRow,
  type ContractRow,
  type MonitorGapRow,
  type QuarantineRow,
  type RunRow,
} from "./run-rows.ts";
import { ALERT_COLUMNS, type AlertRow } from "./monitor-rows.ts";
import { SCOPE_COLUMNS, type ScopeRow } from "./scope-store.ts";
import { applyMigrations, type DdlTarget } from "./migrations/apply-migrations.ts";
import { applyRetention } from "./retention/apply-retention.ts";
import type { Retention } from "./retention/retention.ts";
import { EXPECTED_COLUMNS, logicalType, readMigrations } from "./schema.ts";
import { SchemaMismatchError } from "./schema-mismatch.ts";
import { explainedStoreError } from "./store-access-error.ts";
import { dateTimeFromMillis, dateTimeFromNanos } from "./timestamps.ts";
import { insertSettings, readSettings, type ClusterTopology } from "./topology.ts";

export { SchemaMismatchError } from "./schema-mismatch.ts";

export interface StoreOptions {
  /** Of an embedded engine, a server or a cluster. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Default `default`. */
  readonly database?: string;
  /** The URL is one server of a cluster. Default: a server by itself. */
  readonly cluster?: ClusterTopology;
  /** PEM certificates to trust with `https:`. Default: those of the runtime. */
  readonly ca?: Buffer;
  /** Default: the files of `deploy/clickhouse` that ship with the package. */
  readonly migrationsDirectory?: string;
}

/**
 * The one way to the stored data, whatever engine is behind the URL.
 *
 * Inserts resolve when the rows are durable. `token` names a block: the same block under the same token is stored once,
 * however often it is sent. Every method rejects with the client's error; `isContentError` tells bad rows from trouble.
 */
export interface Store {
  /**
   * Applies the SQL files that have not been applied yet. Safe to repeat, and for several collectors at once. Rejects with
   * a StoreAccessError when the store cannot be used as configured.
   */
  migrate(): Promise<void>;
  /** Rejects with a SchemaMismatchError when a table does not have the columns the service works with. */
  verifySchema(): Promise<void>;
  /** Makes the tables' TTL what the rules say. Resolves to what it changed, one line each; safe to repeat. */
  applyRetention(retention: Retention): Promise<string[]>;
  insertSpans(rows: readonly SpanRow[], token?: string): Promise<void>;
  insertLogs(rows: readonly LogRow[], token?: string): Promise<void>;
  /** Appends to the history; the current rows follow in the same insert. */
  insertRuns(rows: readonly RunRow[], token?: string): Promise<void>;
  insertContracts(rows: readonly ContractRow[], token?: string): Promise<void>;
  insertMonitorGaps(rows: readonly MonitorGapRow[], token?: string): Promise<void>;
  insertBeat(beat: CollectorBeatRow): Promise<void>;
  insertQuarantine(rows: readonly QuarantineRow[], token?: string): Promise<void>;
  insertAlerts(rows: readonly AlertRow[], token?: string): Promise<void>;
  /** One version of a scope under a token that only the first writer of it gets stored. */
  insertScope(row: ScopeRow, token: string): Promise<void>;
  /**
   * Rows of a statement. Values only through `{name:Type}` placeholders. 64-bit integers come as numbers. Limits go with
   * the request: a reader's statement must not hold any.
   */
  query<T>(sql: string, parameters?: Readonly<Record<string, unknown>>, limits?: QueryLimits): Promise<T[]>;
  close(): Promise<void>;
}

/** Bounds of one query, which fails with TOO_MANY_ROWS_OR_BYTES and the like beyond them. Default: those of the store. */
export interface QueryLimits {
  readonly max_result_bytes?: string;
  readonly max_threads?: number;
}

/** Connects lazily: nothing is sent before the first call. */
export function createStore(options: StoreOptions): Store {
  const client = createStoreClient(options);
  const insert = (target: InsertTarget, values: readonly object[], token?: string) =>
    insertRows(client, { ...target, values, token: token ?? randomUUID() });
  return {
    migrate: async () => {
      const migrations = await readMigrations(options.migrationsDirectory);
      await explained(options, () => applyMigrations(ddlTarget(client, options), migrations));
    },
    verifySchema: () => explained(options, () => verifySchema(client)),
    applyRetention: (retention) => explained(options, () => applyRetention(ddlTarget(client, options), retention)),
    insertSpans: (rows, token) => insert(TARGETS.spans, rows.map(storedSpan), token),
    insertLogs: (rows, token) => insert(TARGETS.logs, rows.map(storedLog), token),
    insertRuns: (rows, token) => insert(TARGETS.runs, rows.map(storedRun), token),
    insertContracts: (rows, token) => insert(TARGETS.contracts, withTimes(rows, ["first_seen_at"]), token),
    insertMonitorGaps: (rows, token) => insert(TARGETS.gaps, withTimes(rows, ["started_at", "ended_at"]), token),
    insertBeat: (beat) => insert(TARGETS.beats, withTimes([beat], ["heard_at", "stored_through", "judged_through"])),
    insertQuarantine: (rows, token) => insert(TARGETS.quarantine, withTimes(rows, ["received_at"]), token),
    insertAlerts: (rows, token) => insert(TARGETS.alerts, rows.map(storedAlert), token),
    insertScope: (row, token) => insert(TARGETS.scopes, withTimes([row], ["written_at"]), token),
    query: (sql, parameters, limits) => queryRows(client, sql, parameters, limits),
    close: () => client.close(),
  };
}

/** The client of a store, with the settings its topology asks for on every request. */
export function createStoreClient(options: StoreOptions): ClickHouseClient {
  const { url, username = "default", password = "", database = "default", cluster, ca } = options;
  return createClient({
    url,
    username,
    password,
    database,
    request_timeout: 60_000,
    clickhouse_settings: { ...insertSettings(cluster), ...readSettings(cluster) },
    ...(ca === undefined ? {} : { tls: { ca_cert: ca } }),
    // Errors reach the caller, who knows what they mean; the client would print each of them as well.
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** What changes tables, over the store's client. */
export function ddlTarget(client: ClickHouseClient, { database, cluster }: StoreOptions): DdlTarget {
  return {
    database: database ?? "default",
    ...(cluster === undefined ? {} : { cluster }),
    command: (query, settings = {}) => client.command({ query, clickhouse_settings: settings }),
    query: (sql) => queryRows(client, sql),
  };
}

async function explained<Result>(options: StoreOptions, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw explainedStoreError(error, options);
  }
}

interface InsertTarget {
  readonly table: string;
  readonly columns: readonly string[];
}

const TARGETS = {
  spans: { table: "otel_traces", columns: SPAN_COLUMNS },
  logs: { table: "otel_logs", columns: LOG_COLUMNS },
  runs: { table: "runproof_run_history", columns: RUN_COLUMNS },
  contracts: {
    table: "runproof_contracts",
    columns: ["contract_sha256", "project", "contract", "agent_name", "first_seen_at"],
  },
  beats: {
    table: "runproof_collectors",
    columns: ["collector_id", "heard_at", "stored_through", "judged_through", "state"],
  },
  alerts: { table: "runproof_alerts", columns: ALERT_COLUMNS },
  scopes: { table: "runproof_scopes", columns: SCOPE_COLUMNS },
  gaps: { table: "runproof_monitor_gaps", columns: ["started_at", "ended_at", "reason"] },
  quarantine: { table: "runproof_quarantine", columns: ["received_at", "project", "signal", "reason", "row_json"] },
} as const satisfies Record<string, InsertTarget>;

interface InsertedBlock extends InsertTarget {
  readonly values: readonly object[];
  readonly token: string;
}

async function insertRows(client: ClickHouseClient, block: InsertedBlock): Promise<void> {
  if (block.values.length === 0) return;
  await client.insert({
    table: block.table,
    columns: [...block.columns] as [string, ...string[]],
    values: block.values,
    format: "JSONEachRow",
    clickhouse_settings: {
      insert_deduplication_token: block.token,
      deduplicate_blocks_in_dependent_materialized_views: 1,
      // A lone surrogate is bad JSON but no reason to lose a span: it is kept as its escape.
      input_format_json_throw_on_bad_escape_sequence: 0,
      // A backfill covers more days than the default of 100 allows.
      max_partitions_per_insert_block: "1000",
      wait_for_async_insert: 1,
    },
  });
}

/** Rows of a statement, 64-bit integers as numbers. */
export async function queryRows<T>(
  client: ClickHouseClient,
  query: string,
  parameters: Readonly<Record<string, unknown>> = {},
  limits: QueryLimits = {},
): Promise<T[]> {
  const result = await client.query({
    query,
    query_params: { ...parameters },
    format: "JSONEachRow",
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0, ...limits },
  });
  return result.json<T>();
}

async function verifySchema(client: ClickHouseClient): Promise<void> {
  const problems: string[] = [];
  for (const [table, expected] of Object.entries(EXPECTED_COLUMNS)) {
    const found = await describeTable(client, table);
    if (found === undefined) problems.push(`table ${table} is missing`);
    else {
      for (const [column, type] of Object.entries(expected)) {
        const actual = found.get(column);
        if (actual === undefined) problems.push(`${table}.${column}: expected ${type}, found no such column`);
        else if (actual !== type) problems.push(`${table}.${column}: expected ${type}, found ${actual}`);
      }
    }
  }
  if (problems.length > 0) throw new SchemaMismatchError(problems);
}

async function describeTable(client: ClickHouseClient, table: string): Promise<Map<string, string> | undefined> {
  try {
    const sql = "DESCRIBE TABLE {table:Identifier}";
    const columns = await queryRows<{ name: string; type: string }>(client, sql, { table });
    return new Map(columns.map((column) => [column.name, logicalType(column.type)]));
  } catch (error) {
    if (error instanceof ClickHouseError && error.type === "UNKNOWN_TABLE") return undefined;
    throw error;
  }
}

function storedSpan(row: SpanRow): object {
  const eventTimes = row["Events.Timestamp"].map(dateTimeFromNanos);
  return { ...row, Timestamp: dateTimeFromNanos(row.Timestamp), "Events.Timestamp": eventTimes };
}

function storedLog(row: LogRow): object {
  return { ...row, Timestamp: dateTimeFromNanos(row.Timestamp) };
}

function storedRun(row: RunRow): object {
  return {
    ...row,
    started_at: dateTimeFromNanos(row.started_at),
    closed_at: row.closed_at === null ? null : dateTimeFromNanos(row.closed_at),
    received_at: dateTimeFromMillis(row.received_at),
    deadline_at: dateTimeFromMillis(row.deadline_at),
    judged_at: dateTimeFromMillis(row.judged_at),
  };
}

function storedAlert(row: AlertRow): object {
  const [timed] = withTimes([row], ["first_bad_at", "last_bad_at", "alerted_at"]);
  return { ...timed, resolved_at: row.resolved_at === null ? null : dateTimeFromMillis(row.resolved_at) };
}

function withTimes<Row extends object>(rows: readonly Row[], columns: readonly (keyof Row)[]): object[] {
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(columns.map((column) => [column, dateTimeFromMillis(Number(row[column]))])),
  }));
}
