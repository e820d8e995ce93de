import { ATTR_PROJECT } from "../../instrumentation/semconv.ts";
import { SPAN_COLUMNS, type SpanRow } from "./rows.ts";
import { RUN_COLUMN_TYPES, RUN_COLUMNS, type RunRow } from "./run-rows.ts";
import type { Store } from "./store.ts";

/** Which current runs to list. Every filter is applied to the current version of a run. */
export interface RunFilter {
  readonly project?: string;
  readonly agent?: string;
  readonly status?: string;
  readonly type?: RunRow["run_type"];
  /** Milliseconds since the epoch, compared with `started_at`. */
  readonly since?: number;
  /** Newest first. Default 100, at most 10,000. */
  readonly limit?: number;
}

/**
 * Typed reads of runs and their spans. All values go through bound parameters. A run is named by project and id: without
 * a project the newest of those that share the id is meant, which serves where there is one project.
 */
export interface RunReader {
  /** All spans of a trace by start time, each once, in the shape they were inserted; of one project and of none, or of all. */
  spansOfRun(traceId: string, project?: string): Promise<SpanRow[]>;
  currentRun(runId: string, project?: string): Promise<RunRow | undefined>;
  currentRuns(filter?: RunFilter): Promise<RunRow[]>;
  /** Every version of a run, oldest first. */
  runHistory(runId: string, project?: string): Promise<RunRow[]>;
  /** A contract's JSON by its hash. */
  contract(sha256: string): Promise<string | undefined>;
}

export function createRunReader(store: Pick<Store, "query">): RunReader {
  return {
    async spansOfRun(traceId, project) {
      const parameters = { traceId, project: project ?? "" };
      const ofProject = project === undefined ? "" : OF_PROJECT;
      const windowed = await store.query<SpanRow>(spansSql(ofProject + IN_WINDOW), parameters);
      // The window table counts in seconds from 1970 to 2106; a trace with times outside is found without it.
      return windowed.length > 0 ? windowed : store.query<SpanRow>(spansSql(ofProject), parameters);
    },
    async currentRun(runId, project) {
      const conditions = ["run_id = {runId:String}", ...(project === undefined ? [] : [PROJECT_IS])];
      const tail = "ORDER BY c.received_at DESC LIMIT 1";
      const [run] = await store.query<RunRow>(currentRunsSql(conditions, tail), { runId, project: project ?? "" });
      return run;
    },
    currentRuns(filter = {}) {
      const { conditions, parameters } = conditionsOf(filter);
      const limit = Math.min(filter.limit ?? 100, 10_000);
      const tail = "ORDER BY c.started_at DESC, c.project, c.run_id LIMIT {limit:UInt32}";
      return store.query<RunRow>(currentRunsSql(conditions, tail), { ...parameters, limit });
    },
    runHistory(runId, project) {
      const where = `c.run_id = {runId:String}${project === undefined ? "" : ` AND c.${PROJECT_IS}`}`;
      return store.query<RunRow>(historySql(where), { runId, project: project ?? "" });
    },
    async contract(sha256) {
      const sql = "SELECT contract FROM runproof_contracts WHERE contract_sha256 = {sha256:String} LIMIT 1";
      const [row] = await store.query<{ contract: string }>(sql, { sha256 });
      return row?.contract;
    },
  };
}

const PROJECT_IS = "project = {project:String}";

const IN_WINDOW = `
  AND s.Timestamp >= (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String})
  AND s.Timestamp <= (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String})`;

/** As `projectOfSpan` has it. */
const SPAN_PROJECT = `if(s.SpanAttributes['${ATTR_PROJECT}'] != '', s.SpanAttributes['${ATTR_PROJECT}'], s.ResourceAttributes['${ATTR_PROJECT}'])`;
const OF_PROJECT = `
  AND ${SPAN_PROJECT} IN ('', {project:String})`;

/** Times as they were inserted: nanoseconds as decimal text, which no JSON number can hold. */
export const NANOS = (column: string) => `toString(toUnixTimestamp64Nano(${column}))`;

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
    ORDER BY s.Duration DESC LIMIT 1 BY s.TraceId, s.SpanId, ${SPAN_PROJECT}
  ) AS s ORDER BY s.Timestamp, s.SpanId`;
}

export const RUN_SELECT = RUN_COLUMNS.map((column) => {
  const type: string = RUN_COLUMN_TYPES[column];
  if (type.includes("DateTime64(9)")) return `${NANOS(`c.${column}`)} AS ${column}`;
  if (type === "DateTime64(3)") return `toUnixTimestamp64Milli(c.${column}) AS ${column}`;
  return `c.${column} AS ${column}`;
}).join(", ");

/**
 * First the runs of which any version fits, then the newest version of each, then the same conditions again: a run that
 * was `started` and is `passed` now is not open, and one whose agent became known later is found under it.
 */
export function currentRunsSql(conditions: readonly string[], tail: string): string {
  const where = conditions.length === 0 ? "1" : conditions.join(" AND ");
  const outer = conditions.map((condition) => `c.${condition}`).join(" AND ") || "1";
  return `SELECT ${RUN_SELECT} FROM (
    SELECT * FROM runproof_runs
    WHERE (project, run_id) IN (SELECT project, run_id FROM runproof_runs WHERE ${where})
    ORDER BY version DESC LIMIT 1 BY project, run_id
  ) AS c WHERE ${outer} ${tail}`;
}

/** Two collectors may have stored the same version. */
const historySql = (where: string): string => `SELECT ${RUN_SELECT} FROM (
    SELECT * FROM runproof_run_history AS c WHERE ${where} ORDER BY c.judged_at LIMIT 1 BY c.project, c.run_id, c.version
  ) AS c ORDER BY c.project, c.version`;

/** Each condition starts with its column, so that it can be qualified. */
function conditionsOf(filter: RunFilter): { conditions: string[]; parameters: Record<string, unknown> } {
  const { project, agent, status, type, since } = filter;
  const all: readonly (readonly [string, Record<string, unknown> | undefined])[] = [
    [PROJECT_IS, project === undefined ? undefined : { project }],
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
