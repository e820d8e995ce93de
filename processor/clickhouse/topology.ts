/** A ClickHouse cluster instead of one server. */
export interface ClusterTopology {
  /** Name in the servers' `remote_servers`. Its shards must have `internal_replication`. */
  readonly cluster: string;
  /**
   * Replicas of a shard that must have a block before it counts as stored. Default `auto`: the majority. With 1 replicas
   * are not waited for: right where a shard has one, elsewhere a verdict may miss the newest facts for a moment.
   */
  readonly insertQuorum?: number | "auto";
}

/**
 * Where a table lives in a cluster.
 *
 * `sharded`: rows in `<table>_local` on one shard each, `<table>` is `Distributed` over them. Everything of a trace lies on
 * one shard, so that FINAL, LIMIT BY and a join of runs with their spans are right shard by shard. The key is computed
 * from the row alone: a repeated block falls into the same pieces, or a shard would drop rows it has not seen under a
 * token it has.
 *
 * `global`: small, and read together with everything; every server has all of it (one replica set over all shards).
 */
export type TablePlacement = { readonly kind: "sharded"; readonly key: string } | { readonly kind: "global" };

const BY_TRACE = { kind: "sharded", key: "cityHash64(TraceId)" } as const;
const BY_RUN_TRACE = { kind: "sharded", key: "cityHash64(trace_id)" } as const;
const GLOBAL = { kind: "global" } as const;

/** One entry per table of `deploy/clickhouse`. */
export const TABLE_PLACEMENTS: Readonly<Record<string, TablePlacement>> = {
  otel_traces: BY_TRACE,
  otel_traces_trace_id_ts: BY_TRACE,
  // A log record without a trace goes by its content; all of them on one shard would fill that one alone.
  otel_logs: {
    kind: "sharded",
    key: "cityHash64(if(TraceId = '', concat(toString(toUnixTimestamp64Nano(Timestamp)), Body), TraceId))",
  },
  runproof_run_history: BY_RUN_TRACE,
  runproof_runs: BY_RUN_TRACE,
  // Filled by views on the shard of the log record; an event that is sent again falls on the same one.
  runproof_canary_rounds: { kind: "sharded", key: "cityHash64(round_id)" },
  runproof_canary_results: { kind: "sharded", key: "cityHash64(fixture_id)" },
  runproof_alerts: GLOBAL,
  runproof_contracts: GLOBAL,
  runproof_monitor_gaps: GLOBAL,
  runproof_quarantine: GLOBAL,
  runproof_collectors: GLOBAL,
  runproof_migrations: GLOBAL,
  // All versions of a scope on one shard: which of two is the first is said by that shard's tokens.
  runproof_scopes: { kind: "sharded", key: "cityHash64(scope_key)" },
};

/** The table that holds the rows on one server. */
export const localName = (table: string): string => `${table}_local`;

/** The same, in the given topology: what a TTL or a setting is put on. */
export const storedName = (table: string, topology: ClusterTopology | undefined): string =>
  topology !== undefined && TABLE_PLACEMENTS[table]?.kind === "sharded" ? localName(table) : table;

/** Settings of a store that is a cluster; none for a single server, whose defaults are right. */
export type TopologySettings = Readonly<Record<string, string | number>>;

/** An insert is answered when every shard has its piece, not when the first server has queued it. */
export function insertSettings(topology: ClusterTopology | undefined): TopologySettings {
  if (topology === undefined) return {};
  const { insertQuorum = "auto" } = topology;
  // Sequential reads are defined only over inserts that follow each other.
  const quorum = insertQuorum === 1 ? {} : { insert_quorum: insertQuorum, insert_quorum_parallel: 0 };
  return { distributed_foreground_insert: 1, ...quorum };
}

/** A verdict is a function of stored facts, so a read sees every acknowledged insert, whichever replica answers. */
export function readSettings(topology: ClusterTopology | undefined): TopologySettings {
  if (topology === undefined) return {};
  return {
    select_sequential_consistency: topology.insertQuorum === 1 ? 0 : 1,
    // The inner table of `IN (SELECT …)` is the shard's own: what belongs together lies together.
    distributed_product_mode: "local",
    // A missing shard is an error, never a smaller answer.
    skip_unavailable_shards: 0,
  };
}

/** Every server has carried a statement out before the next one is sent. */
export const DDL_SETTINGS = {
  distributed_ddl_task_timeout: 120,
  distributed_ddl_output_mode: "throw",
  alter_sync: 2,
} as const satisfies TopologySettings;
