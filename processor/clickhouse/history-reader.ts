import { ClickHouseError } from "@clickhouse/client";
import * as semconv from "../../instrumentation/semconv.ts";
import type {
  History,
  HistoryBucket,
  HistoryExtent,
  HistoryRun,
  HistoryScope,
  KeyRange,
  RunKey,
} from "../backtest/history.ts";
import type { SpanRow } from "./rows.ts";
import { NANOS } from "./run-reader.ts";
import { IS_READ, JUDGED_COLUMNS, UNREAD } from "./run-spans-reader.ts";
import { createRunStore } from "./run-store.ts";
import type { Store } from "./store.ts";

/** The service inserts and judges on the same machine: a back-test takes one core of the store for each of its threads. */
const LIMITS = { max_threads: 1 } as const;

/** Answers that can be had in smaller parts. */
const TOO_MUCH: ReadonlySet<string | undefined> = new Set([
  "TOO_MANY_ROWS_OR_BYTES",
  "MEMORY_LIMIT_EXCEEDED",
  "TIMEOUT_EXCEEDED",
]);

/** Stored history in pages. All values go through bound parameters; ids of runs stay in the store. */
export function createHistoryReader(store: Store): History {
  const { spansOfRuns, logsOfTraces, contractsOf } = createRunStore(store);
  const query = <Row>(sql: string, parameters: Readonly<Record<string, unknown>>): Promise<Row[]> =>
    store.query<Row>(sql, parameters, LIMITS);
  return {
    async extent(scope, sinceUnixMillis) {
      const since = Math.max(0, Math.floor(sinceUnixMillis));
      const [extent] = await query<HistoryExtent>(extentSql(scope), { ...scopeParameters(scope), since });
      return extent === undefined || extent.rows === 0 ? undefined : extent;
    },
    buckets(scope, { first, last }, widthNanos) {
      const parameters = { ...scopeParameters(scope), first, last, width: String(widthNanos) };
      return query<HistoryBucket>(bucketsSql(scope), parameters);
    },
    async keyAfter(scope, range, rows) {
      const parameters = { ...scopeParameters(scope), ...rangeParameters(range), rows };
      const [key] = await query<RunKey>(keyAfterSql(scope), parameters);
      return key;
    },
    runs: (scope, range) => query<HistoryRun>(runsSql(scope), { ...scopeParameters(scope), ...rangeParameters(range) }),
    async spans(scope, range, { window, maxBytes }) {
      const times = { windowFrom: String(window.from), windowTo: String(window.to) };
      const parameters = { ...scopeParameters(scope), ...rangeParameters(range), ...times };
      const limits = { ...LIMITS, max_result_bytes: String(Math.floor(maxBytes)) };
      try {
        const rows = await store.query<SpanRow>(spansSql(scope), parameters, limits);
        return rows.map((row) => ({ ...UNREAD, ...row }));
      } catch (error) {
        if (error instanceof ClickHouseError && TOO_MUCH.has(error.type)) return "too_large";
        throw error;
      }
    },
    spansOfRuns,
    logsOfTraces,
    contractsOf,
  };
}

const scopeParameters = ({ agent, runType, project = "" }: HistoryScope) => ({ agent, runType, project });

const rangeParameters = ({ from, to }: KeyRange) => ({
  fromTime: from.startedAt,
  fromProject: from.project,
  fromRun: from.runId,
  toTime: to.startedAt,
  toProject: to.project,
  toRun: to.runId,
});

const at = (parameter: string): string => `fromUnixTimestamp64Nano({${parameter}:Int64})`;

const inScope = ({ project }: HistoryScope, table: string): string =>
  `${table}.agent_name = {agent:String} AND ${table}.run_type = {runType:String}` +
  (project === undefined ? "" : ` AND ${table}.project = {project:String}`);

/** The times stand there once more by themselves, for the index. */
const inRange = (scope: HistoryScope, table: string): string => {
  const key = `(${table}.started_at, ${table}.project, ${table}.run_id)`;
  return `${inScope(scope, table)}
    AND ${table}.started_at >= ${at("fromTime")} AND ${table}.started_at <= ${at("toTime")}
    AND ${key} >= (${at("fromTime")}, {fromProject:String}, {fromRun:String})
    AND ${key} < (${at("toTime")}, {toProject:String}, {toRun:String})`;
};

const extentSql = (scope: HistoryScope): string => `
  SELECT count() AS rows, ${NANOS("min(r.started_at)")} AS first, ${NANOS("max(r.started_at)")} AS last
  FROM runproof_runs AS r
  WHERE ${inScope(scope, "r")} AND r.started_at >= fromUnixTimestamp64Milli({since:Int64})`;

const bucketsSql = (scope: HistoryScope): string => `
  SELECT intDiv(toUnixTimestamp64Nano(r.started_at) - {first:Int64}, {width:Int64}) AS bucket, count() AS rows
  FROM runproof_runs AS r
  WHERE ${inScope(scope, "r")} AND r.started_at >= ${at("first")} AND r.started_at <= ${at("last")}
  GROUP BY bucket ORDER BY bucket`;

const keyAfterSql = (scope: HistoryScope): string => `
  SELECT ${NANOS("r.started_at")} AS startedAt, r.project AS project, r.run_id AS runId
  FROM runproof_runs AS r WHERE ${inRange(scope, "r")}
  ORDER BY r.started_at, r.project, r.run_id LIMIT 1 OFFSET {rows:UInt64}`;

/**
 * First the runs of which any version lies in the range, then the newest version of each, then the same condition again: a
 * run whose start or agent was corrected has a version in two places and belongs where the newest one is.
 */
const runsSql = (scope: HistoryScope): string => `
  SELECT ${NANOS("c.started_at")} AS startedAt, c.project AS project, c.run_id AS runId, c.trace_id AS traceId,
    ${NANOS("c.closed_at")} AS closedAt, c.timeout_seconds AS timeoutSeconds, c.status AS status,
    c.contract_sha256 AS contractSha256, c.fact_count AS factCount
  FROM (
    SELECT run_id, project, agent_name, run_type, started_at, closed_at, timeout_seconds, status, trace_id,
      contract_sha256, fact_count
    FROM runproof_runs
    WHERE (project, run_id) IN (SELECT r.project, r.run_id FROM runproof_runs AS r WHERE ${inRange(scope, "r")})
    ORDER BY version DESC LIMIT 1 BY project, run_id
  ) AS c
  WHERE ${inRange(scope, "c")} ORDER BY c.started_at, c.project, c.run_id`;

/** Spans lie by service, name and time, so that of all spans of the window only the run ids are read, and then those of these runs. */
const spansSql = (scope: HistoryScope): string => `
  SELECT ${JUDGED_COLUMNS},
    mapFilter((k, v) -> (${IS_READ}) AND k NOT IN ('${semconv.ATTR_CONTRACT}', '${semconv.ATTR_CONTRACT_SHA256}'), s.SpanAttributes) AS SpanAttributes
  FROM otel_traces AS s
  WHERE s.Timestamp >= ${at("windowFrom")} AND s.Timestamp <= ${at("windowTo")}
    AND s.RunId IN (SELECT r.run_id FROM runproof_runs AS r WHERE ${inRange(scope, "r")})`;
