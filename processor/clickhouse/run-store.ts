import { RANK_ABANDONED } from "../run/evidence-rank.ts";
import { isTraceRun, traceRunId } from "../evidence/trace-run-id.ts";
import { LAST_EVENTS } from "../run/last-events.ts";
import type { RunJudgingStore, RunStore, StoredRun } from "../run/run-store.ts";
import type { CollectorBeatRow, MonitorGapRow, RunRow } from "./run-rows.ts";
import { createRunReader, currentRunsSql } from "./run-reader.ts";
import { createRunSpansReader } from "./run-spans-reader.ts";
import { createTraceRunsReader, IS_STEP } from "./trace-runs-reader.ts";
import type { Store } from "./store.ts";

/** What assembling and watching runs needs, over the one store. */
export function createRunStore(store: Store): RunStore {
  return {
    ...createRunReader(store),
    ...createBothRunsReader(store),
    insertRuns: (rows, token) => store.insertRuns(rows, token),
    insertContracts: (rows) => store.insertContracts(rows),
    insertLogs: (rows, token) => store.insertLogs(rows, token),
    insertBeat: (beat) => store.insertBeat(beat),
    insertMonitorGaps: (rows, token) => store.insertMonitorGaps(rows, token),
    currentRunsOf: (runIds) =>
      store.query<RunRow>(currentRunsSql(["run_id IN {runIds:Array(String)}"], ""), { runIds }),
    contractsOf: (hashes) => store.query(CONTRACTS_SQL, { hashes }),
    overdueRuns({ now, from, after }) {
      const at = { deadline: after?.deadline_at ?? 0, project: after?.project ?? "", runId: after?.run_id ?? "" };
      return store.query<RunRow>(OVERDUE_SQL, { now, from, ...at });
    },
    runsStoredWithin: ({ from, to, notBefore }, after) =>
      store.query<StoredRun>(STORED_WITHIN_SQL, {
        from: Math.floor(from / 1_000),
        to: Math.ceil(to / 1_000),
        notBefore: Math.max(0, notBefore),
        runId: after?.runId ?? "",
        traceId: after?.traceId ?? "",
      }),
    unsettledRuns: (sinceUnixMillis) =>
      store.query<StoredRun>(UNSETTLED_SQL, { since: sinceUnixMillis, abandoned: RANK_ABANDONED }),
    async heardLast(processes, afterUnixMillis) {
      const asked = {
        ids: processes.map(({ instanceId }) => instanceId),
        after: Math.max(0, Math.floor(afterUnixMillis)),
      };
      const rows = await store.query<{ project: string; instanceId: string; lastUnixMillis: number }>(HEARD_SQL, asked);
      // What carries no project speaks for a process of any.
      return processes.flatMap(({ project, instanceId }) => {
        const own = rows.filter((row) => row.instanceId === instanceId && ["", project].includes(row.project));
        const lastUnixMillis = Math.max(...own.map((row) => row.lastUnixMillis));
        return own.length === 0 ? [] : [{ project, instanceId, lastUnixMillis }];
      });
    },
    beatsSince: (unixMillis) =>
      store.query<CollectorBeatRow>(BEATS_SQL, { since: Math.max(0, Math.floor(unixMillis)) }),
    gapsSince: (unixMillis) => store.query<MonitorGapRow>(GAPS_SQL, { since: Math.max(0, Math.floor(unixMillis)) }),
  };
}

type SpansReader = Pick<RunJudgingStore, "census" | "spansOfRuns" | "logsOfTraces">;

/** Runs of ours by their own id, traces of other instrumentations by theirs. */
function createBothRunsReader(store: Store): SpansReader {
  const own = createRunSpansReader(store);
  const traces = createTraceRunsReader(store);
  const apart = (runs: readonly StoredRun[]) => Map.groupBy(runs, (run) => (isTraceRun(run) ? traces : own));
  return {
    logsOfTraces: (traceIds, reading) => traces.logsOfTraces(traceIds, reading),
    async census(runs) {
      const found = await Promise.all([...apart(runs)].map(([reader, some]) => reader.census(some)));
      return found.flat();
    },
    async spansOfRuns(runs, reading) {
      const found = await Promise.all([...apart(runs)].map(([reader, some]) => reader.spansOfRuns(some, reading)));
      return found.includes("too_large") ? "too_large" : found.flatMap((spans) => (spans === "too_large" ? [] : spans));
    },
  };
}

const PAGE = 5_000;

const CONTRACTS_SQL = `
  SELECT DISTINCT contract_sha256, project, contract FROM runproof_contracts WHERE contract_sha256 IN {hashes:Array(String)}`;

const OVERDUE_SQL = currentRunsSql(
  [
    "status = 'started'",
    "deadline_at < fromUnixTimestamp64Milli({now:Int64})",
    "deadline_at >= fromUnixTimestamp64Milli({from:Int64})",
  ],
  `AND (c.deadline_at, c.project, c.run_id) > (fromUnixTimestamp64Milli({deadline:Int64}), {project:String}, {runId:String})
  ORDER BY c.deadline_at, c.project, c.run_id LIMIT ${PAGE}`,
);

const STORED_WITHIN_SQL = `
  SELECT if(RunId != '', RunId, concat('${traceRunId("")}', TraceId)) AS runId, TraceId AS traceId
  FROM otel_traces AS s
  WHERE (RunId != '' OR ${IS_STEP}) AND StoredAt >= toDateTime({from:Int64}) AND StoredAt <= toDateTime({to:Int64})
    AND Timestamp >= fromUnixTimestamp64Milli({notBefore:Int64})
    AND (runId, TraceId) > ({runId:String}, {traceId:String})
  GROUP BY runId, TraceId ORDER BY runId, TraceId LIMIT ${PAGE}`;

const ENDS = [...LAST_EVENTS].map((event) => `'${event}'`).join(", ");

const UNSETTLED_SQL = `
  SELECT s.runId AS runId, s.traceId AS traceId
  FROM (
    SELECT RunId AS runId, any(TraceId) AS traceId, max(RunEvent IN (${ENDS})) AS ended
    FROM otel_traces
    WHERE RunId != '' AND RunEvent IN ('start', ${ENDS}) AND Timestamp >= fromUnixTimestamp64Milli({since:Int64})
    GROUP BY RunId, TraceId
  ) AS s
  LEFT JOIN (
    SELECT run_id, trace_id, argMax(status, version) AS status, argMax(evidence_rank, version) AS rank,
      argMax(position(reasons, '"evidence_incomplete"') > 0, version) AS short
    FROM runproof_runs GROUP BY project, run_id, trace_id
  ) AS r ON r.run_id = s.runId AND r.trace_id = s.traceId
  WHERE r.run_id = ''
    OR (s.ended AND (r.status = 'started' OR r.rank = {abandoned:UInt8} OR r.short))
  LIMIT 100000`;

const HEARD_SQL = `
  SELECT ResourceAttributes['runproof.project'] AS project, ResourceAttributes['service.instance.id'] AS instanceId,
    toUnixTimestamp64Milli(max(Timestamp)) AS lastUnixMillis
  FROM otel_traces
  WHERE Timestamp > fromUnixTimestamp64Milli({after:Int64}) AND hasAny(mapValues(ResourceAttributes), {ids:Array(String)})
    AND ResourceAttributes['service.instance.id'] IN {ids:Array(String)}
  GROUP BY project, instanceId`;

const BEATS_SQL = `
  SELECT collector_id, toUnixTimestamp64Milli(max(heard_at)) AS heard_at,
    toUnixTimestamp64Milli(argMax(b.stored_through, b.heard_at)) AS stored_through,
    toUnixTimestamp64Milli(argMax(b.judged_through, b.heard_at)) AS judged_through,
    argMax(b.state, b.heard_at) AS state
  FROM runproof_collectors AS b WHERE b.heard_at >= fromUnixTimestamp64Milli({since:Int64})
  GROUP BY collector_id`;

const GAPS_SQL = `
  SELECT toUnixTimestamp64Milli(g.started_at) AS started_at, toUnixTimestamp64Milli(g.ended_at) AS ended_at, reason
  FROM runproof_monitor_gaps AS g WHERE g.ended_at > fromUnixTimestamp64Milli({since:Int64})`;
