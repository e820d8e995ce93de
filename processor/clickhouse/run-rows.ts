/**
 * Rows of runproof's own tables. As with `rows.ts` the column tuples are the one source for inserts, reads and the
 * start-up check.
 */
export const RUN_COLUMN_TYPES = {
  run_id: "String",
  parent_run_id: "String",
  task_id: "String",
  attempt: "UInt32",
  agent_name: "String",
  run_type: "String",
  fixture_id: "String",
  started_at: "DateTime64(9)",
  code_version: "String",
  model: "String",
  prompt_version: "String",
  tool_allowlist: "Array(String)",
  timeout_seconds: "Float64",
  input_sha256: "String",
  state_refs: "Array(String)",
  artifact_refs: "Array(String)",
  status: "String",
  failure_class: "String",
  failure_reason: "String",
  closed_at: "Nullable(DateTime64(9))",
  trace_id: "String",
  root_span_id: "String",
  service_name: "String",
  project: "String",
  contract_sha256: "String",
  reasons: "String",
  proofs: "String",
  received_at: "DateTime64(3)",
  deadline_at: "DateTime64(3)",
  evidence_rank: "UInt8",
  fact_count: "UInt32",
  version: "UInt64",
  judged_at: "DateTime64(3)",
} as const satisfies Record<keyof RunRow, string>;

export const RUN_COLUMNS = Object.keys(RUN_COLUMN_TYPES) as readonly (keyof RunRow)[];

/** One version of a run record (`runproof_run_history`), the newest of which is current (`runproof_runs`). */
export interface RunRow {
  readonly run_id: string;
  /** `''` for a top-level run. */
  readonly parent_run_id: string;
  readonly task_id: string;
  readonly attempt: number;
  readonly agent_name: string;
  readonly run_type: "live" | "replay" | "canary";
  /** `''` for a live run. */
  readonly fixture_id: string;
  /** Nanoseconds since the epoch, decimal text. The agent's clock. */
  readonly started_at: string;
  readonly code_version: string;
  readonly model: string;
  readonly prompt_version: string;
  readonly tool_allowlist: readonly string[];
  readonly timeout_seconds: number;
  readonly input_sha256: string;
  readonly state_refs: readonly string[];
  readonly artifact_refs: readonly string[];
  /** `started` until a verdict: `passed` `failed` `blocked` `degraded` `skipped` `inconclusive`. */
  readonly status: string;
  readonly failure_class: string;
  readonly failure_reason: string;
  /** Nanoseconds since the epoch, decimal text; `null` while the run is open. */
  readonly closed_at: string | null;
  readonly trace_id: string;
  readonly root_span_id: string;
  readonly service_name: string;
  readonly project: string;
  readonly contract_sha256: string;
  /** JSON array. */
  readonly reasons: string;
  /** JSON. */
  readonly proofs: string;
  /** Milliseconds since the epoch, the collector's clock, when the first fact of the run came in. */
  readonly received_at: number;
  /** Milliseconds since the epoch, the collector's clock. */
  readonly deadline_at: number;
  readonly evidence_rank: number;
  readonly fact_count: number;
  /** Made from evidence, never from a clock. A safe integer; the highest of a run is current. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly judged_at: number;
}

export interface ContractRow {
  readonly contract_sha256: string;
  /** Whose it is: that another project has the same one does not show. */
  readonly project: string;
  /** The contract as JSON. */
  readonly contract: string;
  readonly agent_name: string;
  /** Milliseconds since the epoch. */
  readonly first_seen_at: number;
}

/** A time in which the monitor itself did not run. Milliseconds since the epoch. */
export interface MonitorGapRow {
  readonly started_at: number;
  readonly ended_at: number;
  readonly reason: string;
}

/** A sign of life of a collector. Times are its own clock, milliseconds since the epoch. */
export interface CollectorBeatRow {
  readonly collector_id: string;
  readonly heard_at: number;
  /** Everything it had acknowledged before that time is stored. */
  readonly stored_through: number;
  /** Everything it had stored before that time is judged. */
  readonly judged_through: number;
  /** `left`: it stopped with nothing acknowledged that is not stored. */
  readonly state: "up" | "left";
}

/** A row the engine refused for its content. */
export interface QuarantineRow {
  /** Milliseconds since the epoch. */
  readonly received_at: number;
  readonly project: string;
  readonly signal: "traces" | "logs" | "runs";
  readonly reason: string;
  readonly row_json: string;
}
