import { ClickHouseError } from "@clickhouse/client";
import * as semconv from "../../instrumentation/semconv.ts";
import { LAST_EVENTS } from "../run/last-events.ts";
import type { RunCensus, RunJudgingStore, SpanReading, StoredRun } from "../run/run-store.ts";
import type { SpanRow } from "./rows.ts";
import { NANOS } from "./run-reader.ts";
import type { Store } from "./store.ts";

/** The spans of many runs in few queries: one look costs the engine 2-3 ms a run of 100 spans, alone it costs 50. */
export function createRunSpansReader(store: Pick<Store, "query">): Pick<RunJudgingStore, "census" | "spansOfRuns"> {
  return {
    async census(runs) {
      const groups = await byTime(store, runs);
      const found = await Promise.all(
        groups.map(({ traceIds, from, to }) => store.query<RunCensus>(CENSUS_SQL, { traceIds, from, to })),
      );
      const asked = new Set(runs.map(nameOf));
      return found
        .flat()
        .map((one) => ({ ...one, ended: Boolean(one.ended) }))
        .filter((one) => asked.has(nameOf(one)));
    },
    async spansOfRuns(runs, reading) {
      const runIds = [...new Set(runs.map(({ runId }) => runId))];
      const spans: SpanRow[] = [];
      for (const { traceIds, from, to } of await byTime(store, runs)) {
        const part = await readSpans(store, { traceIds, from, to, runIds }, reading);
        if (part === "too_large") return part;
        spans.push(...part);
      }
      return spans;
    },
  };
}

const nameOf = ({ runId, traceId }: StoredRun): string => `${traceId}/${runId}`;

export interface TimeGroup {
  readonly traceIds: readonly string[];
  /** Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** Traces whose times lie apart by more are read apart: the time between them holds the spans of others. */
const APART_SECONDS = 600;

/** Where in time to look: parts of the table and most of its index stay untouched. */
export async function byTime(store: Pick<Store, "query">, runs: readonly StoredRun[]): Promise<TimeGroup[]> {
  const traceIds = [...new Set(runs.map(({ traceId }) => traceId))];
  const times = await store.query<{ traceId: string; from: number; to: number }>(TIMES_SQL, { traceIds });
  const groups: { traceIds: string[]; from: number; to: number }[] = [];
  for (const { traceId, from, to } of times.toSorted((a, b) => a.from - b.from)) {
    const last = groups.at(-1);
    if (last === undefined || from > last.to + APART_SECONDS) groups.push({ traceIds: [traceId], from, to: to + 1 });
    else {
      last.traceIds.push(traceId);
      last.to = Math.max(last.to, to + 1);
    }
  }
  return groups;
}

const TIMES_SQL = `
  SELECT TraceId AS traceId, toUnixTimestamp(min(t.Start)) AS from, toUnixTimestamp(max(t.End)) AS to
  FROM otel_traces_trace_id_ts AS t WHERE TraceId IN {traceIds:Array(String)} GROUP BY TraceId`;

export const IN_GROUP = `TraceId IN {traceIds:Array(String)}
    AND s.Timestamp >= toDateTime64({from:Int64}, 9) AND s.Timestamp <= toDateTime64({to:Int64}, 9)`;

const ENDS = [...LAST_EVENTS].map((event) => `'${event}'`).join(", ");

const CENSUS_SQL = `
  SELECT RunId AS runId, TraceId AS traceId, uniqExact(SpanId) AS spans, max(RunEvent IN (${ENDS})) AS ended
  FROM otel_traces AS s WHERE ${IN_GROUP} AND RunId != ''
  GROUP BY RunId, TraceId`;

interface Asked extends TimeGroup {
  readonly runIds: readonly string[];
}

async function readSpans(
  store: Pick<Store, "query">,
  asked: Asked,
  { maxBytes, bounded }: SpanReading,
): Promise<SpanRow[] | "too_large"> {
  const sql = bounded === undefined ? SPANS_SQL : BOUNDED_SQL;
  const limits = { max_result_bytes: String(Math.floor(maxBytes)) };
  try {
    const rows = await store.query<SpanRow>(sql, { ...asked, maxSpans: bounded?.maxSpans ?? 0 }, limits);
    return rows.map((row) => ({ ...UNREAD, ...row }));
  } catch (error) {
    if (error instanceof ClickHouseError && error.type === "TOO_MANY_ROWS_OR_BYTES") return "too_large";
    throw error;
  }
}

/** What judging does not look at, and other tools' attributes, would be most of the bytes. */
export const UNREAD = {
  TraceState: "",
  SpanName: "",
  SpanKind: "",
  ScopeName: "",
  ScopeVersion: "",
  StatusCode: "",
  StatusMessage: "",
  "Events.Timestamp": [],
  "Events.Name": [],
  "Events.Attributes": [],
  "Links.TraceId": [],
  "Links.SpanId": [],
  "Links.TraceState": [],
  "Links.Attributes": [],
} as const satisfies Partial<SpanRow>;

const READ_KEYS = [
  semconv.ATTR_AGENT_NAME,
  semconv.ATTR_REQUEST_MODEL,
  semconv.ATTR_TOOL_NAME,
  semconv.ATTR_TOOL_CALL_ID,
  semconv.ATTR_TOOL_CALL_ARGUMENTS,
  semconv.ATTR_TOOL_CALL_RESULT,
  semconv.ATTR_ERROR_TYPE,
  // Tool calls that nobody recorded are read off them.
  semconv.ATTR_PROVIDER_NAME,
  semconv.ATTR_INPUT_MESSAGES,
  semconv.ATTR_OUTPUT_MESSAGES,
];
const UNREAD_KEYS = [semconv.ATTR_MODEL_REQUEST, semconv.ATTR_MODEL_RESPONSE];
const list = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(", ");
/** Whether judging reads the attribute `k`. */
export const IS_READ = `(startsWith(k, 'runproof.') AND k NOT IN (${list(UNREAD_KEYS)})) OR k IN (${list(READ_KEYS)})`;

/** What judging reads of the span `s`, but for its attributes. */
export const JUDGED_COLUMNS = `${NANOS("s.Timestamp")} AS Timestamp, s.TraceId AS TraceId, s.SpanId AS SpanId,
    s.ParentSpanId AS ParentSpanId, s.ServiceName AS ServiceName, toString(s.Duration) AS Duration,
    mapFilter((k, v) -> k IN ('${semconv.ATTR_PROJECT}', '${semconv.ATTR_SERVICE_INSTANCE_ID}'), s.ResourceAttributes) AS ResourceAttributes`;

const FROM = `FROM otel_traces AS s WHERE ${IN_GROUP} AND RunId IN {runIds:Array(String)}`;

const SPANS_SQL = `SELECT ${JUDGED_COLUMNS}, mapFilter((k, v) -> ${IS_READ}, s.SpanAttributes) AS SpanAttributes ${FROM}`;

/** Records first, then calls in the order of their ids: the same ones each time. */
const BOUNDED_SQL = `SELECT ${JUDGED_COLUMNS},
    mapFilter((k, v) -> (${IS_READ}) AND (s.RunEvent != '' OR length(v) <= 1024), s.SpanAttributes) AS SpanAttributes
  ${FROM} ORDER BY s.RunEvent = '', s.SpanId LIMIT 1 BY s.SpanId LIMIT {maxSpans:UInt64}`;
