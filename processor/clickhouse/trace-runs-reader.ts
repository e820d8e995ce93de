import { ClickHouseError } from "@clickhouse/client";
import * as semconv from "../../instrumentation/semconv.ts";
import { CONTENT_EVENT_PREFIX, EVALUATION_EVENT_PREFIX, STEP_MARKS } from "../evidence/dialect/index.ts";
import { traceRunId } from "../evidence/trace-run-id.ts";
import type { RunCensus, RunJudgingStore, SpanReading } from "../run/run-store.ts";
import type { LogRow, SpanRow } from "./rows.ts";
import { NANOS } from "./run-reader.ts";
import { byTime, IN_GROUP, type TimeGroup, UNREAD } from "./run-spans-reader.ts";
import type { Store } from "./store.ts";

type TraceReader = Pick<RunJudgingStore, "census" | "spansOfRuns" | "logsOfTraces">;

/** The same for traces that other instrumentations made: each that names no run of ours is a run. */
export function createTraceRunsReader(store: Pick<Store, "query">): TraceReader {
  return {
    async census(runs) {
      const groups = await byTime(store, runs);
      const found = await Promise.all(groups.map((group) => censusOf(store, group)));
      return found.flat();
    },
    async spansOfRuns(runs, reading) {
      const spans: SpanRow[] = [];
      for (const group of await byTime(store, runs)) {
        const sql = reading.bounded === undefined ? SPANS_SQL : BOUNDED_SQL;
        const part = await readRows<SpanRow>(store, sql, group, reading);
        if (part === "too_large") return part;
        spans.push(...part.map((row) => ({ ...UNREAD, ...row })));
      }
      return spans;
    },
    async logsOfTraces(traceIds, reading) {
      const logs: LogRow[] = [];
      for (const group of await byTime(
        store,
        traceIds.map((traceId) => ({ traceId, runId: "" })),
      )) {
        const part = await readRows<LogRow>(store, LOGS_SQL, group, reading);
        if (part === "too_large") return part;
        logs.push(...part.map((row) => ({ ...UNREAD_OF_LOGS, ...row })));
      }
      return logs;
    },
  };
}

async function censusOf(store: Pick<Store, "query">, group: TimeGroup): Promise<RunCensus[]> {
  const asked = { ...group };
  const [traces, logs] = await Promise.all([
    store.query<Omit<RunCensus, "runId">>(CENSUS_SQL, asked),
    store.query<{ traceId: string; logs: number }>(LOG_CENSUS_SQL, asked),
  ]);
  const logsOf = new Map(logs.map((one) => [one.traceId, Number(one.logs)]));
  return traces.map((one) => ({
    runId: traceRunId(one.traceId),
    traceId: one.traceId,
    spans: Number(one.spans) + (logsOf.get(one.traceId) ?? 0),
    ended: Boolean(one.ended),
  }));
}

async function readRows<Row>(
  store: Pick<Store, "query">,
  sql: string,
  group: TimeGroup,
  { maxBytes, bounded }: SpanReading,
): Promise<Row[] | "too_large"> {
  // One after the other: events of one nanosecond have no order but the one they were stored in.
  const limits = { max_result_bytes: String(Math.floor(maxBytes)), max_threads: 1 };
  try {
    return await store.query<Row>(sql, { ...group, maxSpans: bounded?.maxSpans ?? 0 }, limits);
  } catch (error) {
    if (error instanceof ClickHouseError && error.type === "TOO_MANY_ROWS_OR_BYTES") return "too_large";
    throw error;
  }
}

const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(", ");

/** Whether the span `s` is a step of an agent, whatever its dialect. */
export const IS_STEP = `hasAny(mapKeys(s.SpanAttributes), [${list(STEP_MARKS)}])`;

/** As `isOutermost` has it. */
const IS_OUTERMOST = "(s.ParentSpanId = '' OR s.SpanKind IN ('Server', 'Consumer'))";

const CENSUS_SQL = `
  SELECT TraceId AS traceId, uniqExact(SpanId) AS spans, max(${IS_OUTERMOST}) AS ended
  FROM otel_traces AS s WHERE ${IN_GROUP}
  GROUP BY TraceId HAVING countIf(RunId != '') = 0 AND countIf(${IS_STEP}) > 0`;

/** Events may have another clock than spans, by so much. */
const CLOCK_SECONDS = 3_600;

const IN_LOGS = `l.TraceId IN {traceIds:Array(String)}
    AND l.Timestamp >= toDateTime64({from:Int64} - ${CLOCK_SECONDS}, 9)
    AND l.Timestamp <= toDateTime64({to:Int64} + ${CLOCK_SECONDS}, 9)
    AND startsWith(l.EventName, '${CONTENT_EVENT_PREFIX}')
    AND NOT startsWith(l.EventName, '${EVALUATION_EVENT_PREFIX}')`;

const LOG_CENSUS_SQL = `
  SELECT TraceId AS traceId, uniqExact((l.Timestamp, l.SpanId, l.EventName)) AS logs
  FROM otel_logs AS l WHERE ${IN_LOGS} GROUP BY TraceId`;

const RESOURCE_KEYS = list([semconv.ATTR_PROJECT, semconv.ATTR_SERVICE_INSTANCE_ID, semconv.ATTR_SERVICE_VERSION]);

const COLUMNS = `${NANOS("s.Timestamp")} AS Timestamp, s.TraceId AS TraceId, s.SpanId AS SpanId,
    s.ParentSpanId AS ParentSpanId, s.SpanName AS SpanName, s.SpanKind AS SpanKind, s.ServiceName AS ServiceName,
    s.ScopeName AS ScopeName, s.StatusCode AS StatusCode, toString(s.Duration) AS Duration,
    mapFilter((k, v) -> k IN (${RESOURCE_KEYS}), s.ResourceAttributes) AS ResourceAttributes`;

/** Of spans between the steps only their place matters. */
const SPANS_SQL = `SELECT ${COLUMNS}, s.StatusMessage AS StatusMessage,
    if(${IS_STEP}, s.SpanAttributes, map()) AS SpanAttributes,
    if(${IS_STEP}, arrayMap(t -> ${NANOS("t")}, s.\`Events.Timestamp\`), []) AS \`Events.Timestamp\`,
    if(${IS_STEP}, s.\`Events.Name\`, []) AS \`Events.Name\`,
    if(${IS_STEP}, s.\`Events.Attributes\`, []) AS \`Events.Attributes\`
  FROM otel_traces AS s WHERE ${IN_GROUP}`;

/** The outermost spans first, then steps, in the order of their ids: the same ones each time. */
const BOUNDED_SQL = `SELECT ${COLUMNS},
    if(${IS_STEP}, mapFilter((k, v) -> length(v) <= 1024, s.SpanAttributes), map()) AS SpanAttributes
  FROM otel_traces AS s WHERE ${IN_GROUP}
  ORDER BY NOT ${IS_OUTERMOST}, NOT ${IS_STEP}, s.SpanId LIMIT 1 BY s.SpanId LIMIT {maxSpans:UInt64}`;

const LOGS_SQL = `SELECT ${NANOS("l.Timestamp")} AS Timestamp, l.TraceId AS TraceId, l.SpanId AS SpanId,
    l.EventName AS EventName, l.Body AS Body, l.LogAttributes AS LogAttributes, l.ServiceName AS ServiceName,
    mapFilter((k, v) -> k = '${semconv.ATTR_PROJECT}', l.ResourceAttributes) AS ResourceAttributes
  FROM otel_logs AS l WHERE ${IN_LOGS}`;

const UNREAD_OF_LOGS = {
  TraceFlags: 0,
  SeverityText: "",
  SeverityNumber: 0,
  ResourceSchemaUrl: "",
  ScopeSchemaUrl: "",
  ScopeName: "",
  ScopeVersion: "",
  ScopeAttributes: {},
} as const satisfies Partial<LogRow>;
