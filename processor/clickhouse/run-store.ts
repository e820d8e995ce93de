import { RANK_ABANDONED } from "../run/evidence-rank.ts";
import type { RunStore, StoredRun } from "../run/run-store.ts";
import { createRunReader } from "./run-reader.ts";
import type { Store } from "./store.ts";

/** What assembling and watching runs needs, over the one store. */
export function createRunStore(store: Store): RunStore {
  return {
    ...createRunReader(store),
    insertRuns: (rows, token) => store.insertRuns(rows, token),
    insertContracts: (rows) => store.insertContracts(rows),
    insertLogs: (rows, token) => store.insertLogs(rows, token),
    unsettledRuns: (sinceUnixMillis) =>
      store.query<StoredRun>(UNSETTLED_SQL, { since: sinceUnixMillis, abandoned: RANK_ABANDONED }),
    async heardAfter(instanceId, unixMillis) {
      const rows = await store.query(HEARD_AFTER_SQL, { instanceId, after: unixMillis });
      return rows.length > 0;
    },
  };
}

const UNSETTLED_SQL = `
  SELECT s.runId AS runId, s.traceId AS traceId
  FROM (
    SELECT RunId AS runId, any(TraceId) AS traceId, max(RunEvent IN ('run', 'close')) AS ended
    FROM otel_traces
    WHERE RunId != '' AND RunEvent IN ('start', 'run', 'close') AND Timestamp >= fromUnixTimestamp64Milli({since:Int64})
    GROUP BY RunId
  ) AS s
  LEFT JOIN (
    SELECT run_id, argMax(status, version) AS status, argMax(evidence_rank, version) AS rank,
      argMax(position(reasons, '"evidence_incomplete"') > 0, version) AS short
    FROM runproof_runs GROUP BY run_id
  ) AS r ON r.run_id = s.runId
  WHERE r.run_id = ''
    OR (s.ended AND (r.status = 'started' OR r.rank = {abandoned:UInt8} OR r.short))
  LIMIT 100000`;

const HEARD_AFTER_SQL = `
  SELECT 1 FROM otel_traces
  WHERE ResourceAttributes['service.instance.id'] = {instanceId:String}
    AND Timestamp > fromUnixTimestamp64Milli({after:Int64})
  LIMIT 1`;
