/** Rows of the tables the monitor reads and writes (0009). As with `run-rows.ts` the column tuples are the one source. */

/** What is known of one round of a tier, from the events of all its shards. Times are milliseconds since the epoch. */
export interface CanaryRound {
  readonly project: string;
  readonly tier: string;
  readonly round_id: string;
  /** When it was due. */
  readonly slot: number;
  readonly interval_seconds: number;
  /** Ids of all fixtures of the tier. */
  readonly fixtures: readonly string[];
  /** `2/4`, of the shards that have ended. */
  readonly ended_shards: readonly string[];
  /** Of the first shard; 0 when no start was heard. */
  readonly started_at: number;
  /** Of the last shard that ended; 0 while none has. */
  readonly ended_at: number;
}

/** When a canary was last heard of, and the longest time between rounds; both 0 when none was. */
export interface CanariesHeard {
  /** Milliseconds since the epoch. */
  readonly last_at: number;
  readonly longest_interval_seconds: number;
}

/** The newest result of a fixture in a tier. Texts are the sender's. */
export interface CanaryResult {
  readonly project: string;
  readonly tier: string;
  readonly fixture_id: string;
  readonly round_id: string;
  readonly slot: number;
  readonly interval_seconds: number;
  readonly outcome: string;
  readonly fixture_state: string;
  readonly agent_name: string;
  readonly protects: string;
  readonly code_version: string;
  readonly run_id: string;
  readonly explanation: string;
  readonly duration_ms: number;
  readonly observed_at: number;
}

/** Production runs that came to the same, by project. */
export interface RunCount {
  readonly project: string;
  readonly status: string;
  /** Closed by the watchdog. */
  readonly abandoned: boolean;
  /** It promised something; without a contract nothing can be verified. */
  readonly promised: boolean;
  readonly runs: number;
}

/** What makes an alert one alert. */
export interface AlertKey {
  readonly project: string;
  readonly agent_name: string;
  readonly failure_class: string;
  readonly code_version: string;
}

/** Production runs of a key that were bad. Times are milliseconds since the epoch. */
export interface BadRuns extends AlertKey {
  readonly first_bad_run_id: string;
  readonly first_bad_at: number;
  readonly last_bad_run_id: string;
  readonly last_bad_at: number;
  /** When the youngest of them was first heard of, by the collector's clock. */
  readonly last_received_at: number;
  readonly run_count: number;
}

export const ALERT_COLUMN_TYPES = {
  alert_id: "String",
  project: "String",
  agent_name: "String",
  failure_class: "String",
  code_version: "String",
  episode: "UInt32",
  state: "String",
  first_bad_run_id: "String",
  first_bad_at: "DateTime64(3)",
  last_bad_run_id: "String",
  last_bad_at: "DateTime64(3)",
  alerted_at: "DateTime64(3)",
  resolved_at: "Nullable(DateTime64(3))",
  resolved_by: "String",
  resolve_reason: "String",
  silent_failure_window_minutes: "Float64",
  fixture_id: "String",
  run_count: "UInt32",
  version: "UInt64",
} as const satisfies Record<keyof AlertRow, string>;

export const ALERT_COLUMNS = Object.keys(ALERT_COLUMN_TYPES) as readonly (keyof AlertRow)[];

/** One version of an alert. Times are milliseconds since the epoch. */
export interface AlertRow extends AlertKey {
  readonly alert_id: string;
  /** From 1 on: bad runs after a resolve are a new episode, with an id of its own. */
  readonly episode: number;
  readonly state: "firing" | "resolved";
  /** `''` when a canary failed and no production run is known. */
  readonly first_bad_run_id: string;
  readonly first_bad_at: number;
  readonly last_bad_run_id: string;
  readonly last_bad_at: number;
  readonly alerted_at: number;
  readonly resolved_at: number | null;
  readonly resolved_by: string;
  readonly resolve_reason: string;
  readonly silent_failure_window_minutes: number;
  /** The canary that raised or resolved it; `''` for none. */
  readonly fixture_id: string;
  readonly run_count: number;
  /** The highest is current. */
  readonly version: number;
}

/** Columns that the readers of the canary tables name. */
export const CANARY_ROUND_COLUMN_TYPES = {
  project: "String",
  tier: "String",
  round_id: "String",
  shard: "String",
  phase: "String",
  slot: "DateTime64(3)",
  interval_seconds: "Float64",
  fixtures: "Array(String)",
  observed_at: "DateTime64(3)",
} as const;

export const CANARY_RESULT_COLUMN_TYPES = {
  project: "String",
  tier: "String",
  fixture_id: "String",
  round_id: "String",
  slot: "DateTime64(3)",
  interval_seconds: "Float64",
  outcome: "String",
  fixture_state: "String",
  agent_name: "String",
  protects: "String",
  code_version: "String",
  run_id: "String",
  explanation: "String",
  duration_ms: "Float64",
  observed_at: "DateTime64(3)",
} as const satisfies Record<keyof CanaryResult, string>;
