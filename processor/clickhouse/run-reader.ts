import { SPAN_COLUMNS, type SpanRow } from "./rows.ts";
import { RUN_COLUMN_TYPES, RUN_COLUMNS, type RunRow } from "./run-rows.ts";
import type { Store } from "./store.ts";

/** Which current runs to list. Every filter is applied to the current version of a run. */
export interface RunFilter {
  readonly agent?: string;
  readonly status?: string;
  readonly type?: RunRow["run_type"];
  /** Milliseconds since the epoch, compared with `started_at`. */
  readonly since?: number;
  /** Newest first. Default 100, at most 10,000. */
  readonly limit?: number;
}

/** Typed reads of runs and their spans. All values go through bound parameters. */
export interface RunReader {
  /** All spans of a trace by start time, each once, in the shape they were inserted. */
  spansOfRun(traceId: string): Promise<SpanRow[]>;
  currentRun(runId: string): Promise<RunRow | undefined>;
  currentRuns(filter?: RunFilter): Promise<RunRow[]>;
  /** Every version of a run, oldest first. */
  runHistory(runId: string): Promise<RunRow[]>;
  /** Runs still `started` whose deadline lies before `now` (milliseconds since the epoch), longest overdue first. */
  openRunsPastDeadline(now: number): Promise<RunRow[]>;
  /** A contract's JSON by its hash. */
  contract(sha256: string): Promise<string | undefined>;
}

export function createRunReader(store: Pick<Store, "query">): RunReader {
  return {
    async spansOfRun(traceId) {
      const windowed = await store.query<SpanRow>(spansSql(IN_WINDOW), { traceId });
      // The window table counts in seconds from 1970 to 2106; a trace with times outside is found without it.
      return windowed.length > 0 ? windowed : store.query<SpanRow>(spansSql(""), { traceId });
    },
    async currentRun(runId) {
      const [run] = await store.query<RunRow>(currentRunsSql(["run_id = {runId:String}"], "LIMIT 1"), { runId });
      return run;
    },
    currentRuns(filter = {}) {
      const { conditions, parameters } = conditionsOf(filter);
      const limit = Math.min(filter.limit ?? 100, 10_000);
      const tail = "ORDER BY c.started_at DESC, c.run_id LIMIT {limit:UInt32}";
      return store.query<RunRow>(currentRunsSql(conditions, tail), { ...parameters, limit });
    },
    runHistory(runId) {
      const where = "WHERE c.run_id = {runId:String} ORDER BY c.version, c.judged_at";
      return store.query<RunRow>(`SELECT ${RUN_SELECT} FROM runproof_run_history AS c ${where}`, { runId });
    },
    openRunsPastDeadline(now) {
      const conditions = ["status = 'started'", "deadline_at < fromUnixTimestamp64Milli({now:Int64})"];
      return store.query<RunRow>(currentRunsSql(conditions, "ORDER BY c.deadline_at LIMIT 10000"), { now });
    },
    async contract(sha256) {
      const sql = "SELECT contract FROM runproof_contracts WHERE contract_sha256 = {sha256:String} LIMIT 1";
      const [row] = await store.query<{ contract: string }>(sql, { sha256 });
      return row?.contract;
    },
  };
}

const IN_WINDOW = `
  AND s.Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String})
  AND s.Timestamp <= (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String})`;

/** Times as they were inserted: nanoseconds as decimal text, which no JSON number can hold. */
const NANOS = (column: string) => `toString(toUnixTimestamp64Nano(${column}))`;

const SPAN_SELECT = SPAN_COLUMNS.map((column) => {
  const value = `s.\`${column}\``;
  if (column === "Timestamp") return `${NANOS(value)} AS \`${column}\``;
  if (column === "Duration") return `toString(${value}) AS \`${column}\``;
  if (column === "Events.Timestamp") return `arrayMap(t -> ${NANOS("t")}, ${value}) AS \`${column}\``;
  return `${value} AS \`${column}\``;
}).join(", ");

/** A span that was sent twice is stored twice; the longer one is the finished one. */
function spansSql(window: string): string {
  return `SELECT ${SPAN_SELECT} FROM (
    SELECT * FROM otel_traces AS s WHERE s.TraceId = {traceId:String} ${window}
    ORDER BY s.Duration DESC LIMIT 1 BY s.TraceId, s.SpanId
  ) AS s ORDER BY s.Timestamp, s.SpanId`;
}

const RUN_SELECT = RUN_COLUMNS.map((column) => {
  const type: string = RUN_COLUMN_TYPES[column];
  if (type.includes("DateTime64(9)")) return `${NANOS(`c.${column}`)} AS ${column}`;
  if (type === "DateTime64(3)") return `toUnixTimestamp64Milli(c.${column}) AS ${column}`;
  return `c.${column} AS ${column}`;
}).join(", ");

/**
 * First the runs of which any version fits, then the newest version of each, then the same conditions again: a run that
 * was `started` and is `passed` now is not open, and one whose agent became known later is found under it.
 */
function currentRunsSql(conditions: readonly string[], tail: string): string {
  const where = conditions.length === 0 ? "1" : conditions.join(" AND ");
  const outer = conditions.map((condition) => `c.${condition}`).join(" AND ") || "1";
  return `SELECT ${RUN_SELECT} FROM (
    SELECT * FROM runproof_runs FINAL
    WHERE run_id IN (SELECT run_id FROM runproof_runs WHERE ${where})
    ORDER BY version DESC LIMIT 1 BY run_id
  ) AS c WHERE ${outer} ${tail}`;
}

/** Each condition starts with its column, so that it can be qualified. */
function conditionsOf(filter: RunFilter): { conditions: string[]; parameters: Record<string, unknown> } {
  const { agent, status, type, since } = filter;
  const all: readonly (readonly [string, Record<string, unknown> | undefined])[] = [
    ["agent_name = {agent:String}", agent === undefined ? undefined : { agent }],
    ["status = {status:String}", status === undefined ? undefined : { status }],
    ["run_type = {type:String}", type === undefined ? undefined : { type }],
    ["started_at >= fromUnixTimestamp64Milli({since:Int64})", since === undefined ? undefined : { since }],
  ];
  const given = all.filter(([, parameters]) => parameters !== undefined);
  return {
    conditions: given.map(([condition]) => condition),
    parameters: Object.assign({}, ...given.map(([, parameters]) => parameters)) as Record<string, unknown>,
  };
}
