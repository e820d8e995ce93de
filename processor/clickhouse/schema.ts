import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { LOG_COLUMNS, SPAN_COLUMNS } from "./rows.ts";
import { ALERT_COLUMN_TYPES, CANARY_RESULT_COLUMN_TYPES, CANARY_ROUND_COLUMN_TYPES } from "./monitor-rows.ts";
import { RUN_COLUMN_TYPES } from "./run-rows.ts";
import { SCOPE_COLUMN_TYPES } from "./scope-store.ts";

/** One append-only file of `deploy/clickhouse`. */
export interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly statements: readonly string[];
}

/** The migrations in the order of their numbers. */
export async function readMigrations(directory: string = migrationsDirectory()): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${directory}/${name}`, "utf8");
      return { name, sha256: createHash("sha256").update(text).digest("hex"), statements: statementsOf(text) };
    }),
  );
}

/** The folder lies at the package's root: two levels up from the sources, three from `dist`. */
function migrationsDirectory(): string {
  const candidates = ["../../deploy/clickhouse", "../../../deploy/clickhouse"];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`The SQL files of the schema are missing; looked in ${paths.join(" and ")}.`);
  return found;
}

/** A statement ends with a semicolon at the end of a line. Comments stay: an operator sees them in the query log. */
function statementsOf(text: string): string[] {
  return text
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement.replaceAll(/^--.*$/gm, "").trim() !== "");
}

const MAP = "Map(String, String)";

const SPAN_COLUMN_TYPES: Record<(typeof SPAN_COLUMNS)[number], string> = {
  Timestamp: "DateTime64(9)",
  TraceId: "String",
  SpanId: "String",
  ParentSpanId: "String",
  TraceState: "String",
  SpanName: "String",
  SpanKind: "String",
  ServiceName: "String",
  ResourceAttributes: MAP,
  ScopeName: "String",
  ScopeVersion: "String",
  SpanAttributes: MAP,
  Duration: "UInt64",
  StatusCode: "String",
  StatusMessage: "String",
  "Events.Timestamp": "Array(DateTime64(9))",
  "Events.Name": "Array(String)",
  "Events.Attributes": `Array(${MAP})`,
  "Links.TraceId": "Array(String)",
  "Links.SpanId": "Array(String)",
  "Links.TraceState": "Array(String)",
  "Links.Attributes": `Array(${MAP})`,
};

const LOG_COLUMN_TYPES: Record<(typeof LOG_COLUMNS)[number], string> = {
  Timestamp: "DateTime64(9)",
  TraceId: "String",
  SpanId: "String",
  TraceFlags: "UInt8",
  SeverityText: "String",
  SeverityNumber: "UInt8",
  ServiceName: "String",
  Body: "String",
  ResourceSchemaUrl: "String",
  ResourceAttributes: MAP,
  ScopeSchemaUrl: "String",
  ScopeName: "String",
  ScopeVersion: "String",
  ScopeAttributes: MAP,
  LogAttributes: MAP,
  EventName: "String",
};

/** Tables and the columns the service writes or reads, with their types as `DESCRIBE` names them without LowCardinality. */
export const EXPECTED_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  otel_traces: { ...SPAN_COLUMN_TYPES, RunId: "String", RunEvent: "String", StoredAt: "DateTime" },
  otel_traces_trace_id_ts: {
    TraceId: "String",
    Start: "SimpleAggregateFunction(min, DateTime)",
    End: "SimpleAggregateFunction(max, DateTime)",
  },
  otel_logs: LOG_COLUMN_TYPES,
  runproof_runs: RUN_COLUMN_TYPES,
  runproof_run_history: RUN_COLUMN_TYPES,
  runproof_contracts: {
    contract_sha256: "String",
    project: "String",
    contract: "String",
    agent_name: "String",
    first_seen_at: "DateTime64(3)",
  },
  runproof_monitor_gaps: { started_at: "DateTime64(3)", ended_at: "DateTime64(3)", reason: "String" },
  runproof_collectors: {
    collector_id: "String",
    heard_at: "DateTime64(3)",
    stored_through: "DateTime64(3)",
    judged_through: "DateTime64(3)",
    state: "String",
  },
  runproof_canary_rounds: CANARY_ROUND_COLUMN_TYPES,
  runproof_canary_results: CANARY_RESULT_COLUMN_TYPES,
  runproof_alerts: ALERT_COLUMN_TYPES,
  runproof_quarantine: {
    received_at: "DateTime64(3)",
    project: "String",
    signal: "String",
    reason: "String",
    row_json: "String",
  },
  runproof_scopes: SCOPE_COLUMN_TYPES,
};

/** The encoding of a column does not change what it takes or gives. */
export function logicalType(type: string): string {
  return type.replaceAll(/LowCardinality\((\w+)\)/g, "$1");
}
