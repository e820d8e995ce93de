import type { VerdictStatus } from "./verdict.ts";

export const RUN_TYPES = ["live", "replay", "canary"] as const;
export type RunType = (typeof RUN_TYPES)[number];

/** `started` until a validator closes the run; then the verdict. */
export type RunStatus = "started" | VerdictStatus;

/**
 * The run record (spec A1): exactly these names in storage and JSON, plus what OpenTelemetry needs to find the run again.
 * Times are ISO 8601 in UTC with nanoseconds where known.
 */
export interface RunRecord {
  readonly run_id: string;
  readonly task_id: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly agent_name: string;
  readonly run_type: RunType;
  readonly fixture_id: string;
  readonly started_at: string;
  readonly code_version: string;
  readonly model: string;
  readonly prompt_version: string;
  readonly tool_allowlist: readonly string[];
  readonly timeout_seconds: number;
  readonly input_sha256: string;
  readonly state_refs: readonly string[];
  readonly artifact_refs: readonly string[];
  readonly status: RunStatus;
  readonly failure_class: string;
  readonly failure_reason: string;
  readonly closed_at: string | null;
  readonly trace_id: string;
  readonly root_span_id: string;
  readonly parent_run_id: string;
  readonly service_name: string;
  readonly project: string;
}
