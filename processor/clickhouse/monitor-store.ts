import { RANK_ABANDONED } from "../run/evidence-rank.ts";
import type { CollectorBeatRow, MonitorGapRow } from "./run-rows.ts";
import {
  ALERT_COLUMN_TYPES,
  type AlertKey,
  type AlertRow,
  type BadRuns,
  type CanariesHeard,
  CANARY_RESULT_COLUMN_TYPES,
  type CanaryResult,
  type CanaryRound,
  type RunCount,
} from "./monitor-rows.ts";
import type { RunStore } from "../run/run-store.ts";
import type { Store } from "./store.ts";

/** What the monitor needs of the store: few reads, each bounded in rows and threads. Times are milliseconds since the epoch. */
export interface MonitorStore {
  /** Of all rounds since then; cheap, so that the others need not look far back. */
  canariesHeard(since: number): Promise<CanariesHeard>;
  /** The newest rounds of each tier that were heard since then. */
  canaryRounds(since: number): Promise<readonly CanaryRound[]>;
  /** The newest result of each fixture in each tier, of those since then. */
  canaryResults(since: number): Promise<readonly CanaryResult[]>;
  /** Production runs of which something new was recorded since then, by what is known of them now. */
  runCounts(since: number): Promise<readonly RunCount[]>;
  /** Alerts that fire, and those resolved since then; newest first. */
  alerts(resolvedSince: number): Promise<readonly AlertRow[]>;
  /** Every alert there ever was of this key. */
  alertsOf(key: AlertKey): Promise<readonly AlertRow[]>;
  /** Keys with production runs that were judged since then and are bad. */
  badSince(judgedSince: number): Promise<readonly BadRuns[]>;
  /** The bad production runs of a key that came in since then; `undefined` when there is none. */
  badRunsOf(key: AlertKey, since: number): Promise<BadRuns | undefined>;
  /** The same token stores once, however often it is tried. */
  insertAlerts(rows: readonly AlertRow[], token: string): Promise<void>;
  beatsSince(unixMillis: number): Promise<readonly CollectorBeatRow[]>;
  gapsSince(unixMillis: number): Promise<readonly MonitorGapRow[]>;
}

export function createMonitorStore(
  store: Store,
  runs: Pick<RunStore, "beatsSince" | "gapsSince">,
): MonitorStore & Pick<Store, "insertLogs"> {
  const read = <Row>(sql: string, parameters: Readonly<Record<string, unknown>>): Promise<Row[]> =>
    store.query<Row>(sql, parameters, LIMITS);
  return {
    async canariesHeard(since) {
      const [heard] = await read<CanariesHeard>(HEARD_SQL, { since: whole(since) });
      return heard ?? { last_at: 0, longest_interval_seconds: 0 };
    },
    canaryRounds: (since) => read(ROUNDS_SQL, { since: whole(since) }),
    canaryResults: (since) => read(RESULTS_SQL, { since: whole(since) }),
    async runCounts(since) {
      type Counted = Omit<RunCount, "abandoned" | "promised"> & {
        readonly abandoned: number;
        readonly promised: number;
      };
      const rows = await read<Counted>(RUNS_SQL, { since: whole(since) });
      return rows.map((row) => ({ ...row, abandoned: row.abandoned === 1, promised: row.promised === 1 }));
    },
    alerts: (resolvedSince) => read(ALERTS_SQL, { since: whole(resolvedSince) }),
    alertsOf: (key) => read(ALERTS_OF_SQL, { ...key }),
    badSince: (judgedSince) => read(BAD_SINCE_SQL, { since: whole(judgedSince) }),
    async badRunsOf(key, since) {
      const [found] = await read<BadRuns>(BAD_RUNS_OF_SQL, { ...key, since: whole(since) });
      return found === undefined || found.run_count === 0 ? undefined : { ...found, ...key };
    },
    insertAlerts: (rows, token) => store.insertAlerts(rows, token),
    insertLogs: (rows, token) => store.insertLogs(rows, token),
    beatsSince: (unixMillis) => runs.beatsSince(unixMillis),
    gapsSince: (unixMillis) => runs.gapsSince(unixMillis),
  };
}

/** Nothing the monitor asks may take a store away from those who write to it. */
const LIMITS = { max_threads: 2, max_result_bytes: "67108864" };

const whole = (millis: number): number => Math.max(0, Math.floor(millis));

const MILLIS = (column: string): string => `toUnixTimestamp64Milli(${column})`;
const SINCE = "fromUnixTimestamp64Milli({since:Int64})";

const HEARD_SQL = `
  SELECT ${MILLIS("max(r.observed_at)")} AS last_at, max(r.interval_seconds) AS longest_interval_seconds
  FROM runproof_canary_rounds AS r WHERE r.observed_at >= ${SINCE}`;

/** Lists that differ between shards are put together: what one of them names is to be proven. */
const ROUNDS_SQL = `
  SELECT r.project AS project, r.tier AS tier, r.round_id AS round_id,
    ${MILLIS("max(r.slot)")} AS slot, max(r.interval_seconds) AS interval_seconds,
    groupUniqArrayArray(10000)(r.fixtures) AS fixtures,
    groupUniqArrayIf(1000)(r.shard, r.phase = 'ended') AS ended_shards,
    ${MILLIS("minIf(r.observed_at, r.phase = 'started')")} AS started_at,
    ${MILLIS("maxIf(r.observed_at, r.phase = 'ended')")} AS ended_at
  FROM runproof_canary_rounds AS r WHERE r.observed_at >= ${SINCE}
  GROUP BY r.project, r.tier, r.round_id
  ORDER BY max(r.observed_at) DESC, r.round_id LIMIT 4 BY r.project, r.tier LIMIT 1000`;

const selected = (types: Readonly<Record<string, string>>, from: string): string =>
  Object.entries(types)
    .map(([column, type]) => {
      if (type === "DateTime64(3)") return `${MILLIS(`${from}.${column}`)} AS ${column}`;
      if (type === "Nullable(DateTime64(3))") return `${MILLIS(`${from}.${column}`)} AS ${column}`;
      return column === "explanation"
        ? `leftUTF8(${from}.explanation, 500) AS ${column}`
        : `${from}.${column} AS ${column}`;
    })
    .join(", ");

const RESULTS_SQL = `
  SELECT ${selected(CANARY_RESULT_COLUMN_TYPES, "c")} FROM (
    SELECT * FROM runproof_canary_results WHERE observed_at >= ${SINCE}
    ORDER BY observed_at DESC, round_id LIMIT 1 BY project, tier, fixture_id LIMIT 20000
  ) AS c`;

/** The history lies in parts by the time of judging: a part that has nothing new is not opened. */
const RUNS_SQL = `
  SELECT project, status, abandoned, promised, count() AS runs FROM (
    SELECT h.project AS project, argMax(h.status, h.version) AS status,
      argMax(h.evidence_rank, h.version) = ${RANK_ABANDONED} AND status != 'started' AS abandoned,
      argMax(h.contract_sha256, h.version) != '' AS promised
    FROM runproof_run_history AS h WHERE h.judged_at >= ${SINCE} AND h.run_type = 'live'
    GROUP BY h.project, h.run_id
  ) GROUP BY project, status, abandoned, promised LIMIT 10000`;

const ALERT_SELECT = selected(ALERT_COLUMN_TYPES, "a");

const currentAlerts = (where: string, outer: string): string => `
  SELECT ${ALERT_SELECT} FROM (
    SELECT * FROM runproof_alerts WHERE ${where} ORDER BY version DESC LIMIT 1 BY project, alert_id
  ) AS a WHERE ${outer} ORDER BY a.alerted_at DESC, a.alert_id LIMIT 10000`;

const ALERTS_SQL = currentAlerts("1", `a.state = 'firing' OR a.resolved_at >= ${SINCE}`);

const IS_KEY = `project = {project:String} AND agent_name = {agent_name:String}
  AND failure_class = {failure_class:String} AND code_version = {code_version:String}`;

const ALERTS_OF_SQL = currentAlerts(IS_KEY, "1");

const BAD = "('failed', 'blocked')";
/** The agent's clock says when it ended; it cannot have ended after it was judged. */
const BAD_AT = "least(ifNull(toDateTime64(b.closed_at, 3), b.received_at), b.judged_at)";

const AS_BAD_RUNS = `
    argMin(b.run_id, ${BAD_AT}) AS first_bad_run_id, ${MILLIS(`min(${BAD_AT})`)} AS first_bad_at,
    argMax(b.run_id, ${BAD_AT}) AS last_bad_run_id, ${MILLIS(`max(${BAD_AT})`)} AS last_bad_at,
    ${MILLIS("max(b.received_at)")} AS last_received_at, count() AS run_count`;

const BAD_SINCE_SQL = `
  SELECT b.project AS project, b.agent_name AS agent_name, b.failure_class AS failure_class, b.code_version AS code_version,
    ${AS_BAD_RUNS}
  FROM (
    SELECT project, run_id, agent_name, failure_class, code_version, run_type, status, closed_at, received_at, judged_at
    FROM runproof_run_history WHERE judged_at >= ${SINCE} ORDER BY version DESC LIMIT 1 BY project, run_id
  ) AS b WHERE b.run_type = 'live' AND b.status IN ${BAD}
  GROUP BY b.project, b.agent_name, b.failure_class, b.code_version ORDER BY first_bad_at LIMIT 5000`;

/** First the runs that were ever bad in this way, then what each of them is now. */
const BAD_RUNS_OF_SQL = `
  SELECT ${AS_BAD_RUNS}
  FROM (
    SELECT * FROM runproof_runs
    WHERE (project, run_id) IN (
      SELECT project, run_id FROM runproof_runs WHERE ${IS_KEY} AND status IN ${BAD} AND received_at >= ${SINCE}
    ) ORDER BY version DESC LIMIT 1 BY project, run_id
  ) AS b
  WHERE b.run_type = 'live' AND b.status IN ${BAD} AND b.failure_class = {failure_class:String}
    AND b.code_version = {code_version:String}`;
