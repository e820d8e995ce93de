import type { RunRecord, RunStatus } from "../../instrumentation/contract/run-record.ts";
import type { RunRow } from "../../processor/clickhouse/run-rows.ts";

/** A stored row as the run record of spec A1: its names, and times as ISO 8601. */
export const runRecordFromRow = (row: RunRow): RunRecord => ({
  run_id: row.run_id,
  task_id: row.task_id,
  attempt: row.attempt,
  agent_name: row.agent_name,
  run_type: row.run_type,
  fixture_id: row.fixture_id,
  started_at: isoFromNanos(row.started_at),
  code_version: row.code_version,
  model: row.model,
  prompt_version: row.prompt_version,
  tool_allowlist: row.tool_allowlist,
  timeout_seconds: row.timeout_seconds,
  input_sha256: row.input_sha256,
  state_refs: row.state_refs,
  artifact_refs: row.artifact_refs,
  status: row.status as RunStatus,
  failure_class: row.failure_class,
  failure_reason: row.failure_reason,
  closed_at: row.closed_at === null ? null : isoFromNanos(row.closed_at),
  trace_id: row.trace_id,
  root_span_id: row.root_span_id,
  parent_run_id: row.parent_run_id,
  service_name: row.service_name,
  project: row.project,
});

/** `2026-01-02T03:04:05.123456789Z` from nanoseconds since the epoch. */
export function isoFromNanos(nanos: string): string {
  const value = BigInt(nanos);
  const seconds = new Date(Number(value / 1_000_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(value % 1_000_000_000n).padStart(9, "0")}Z`;
}
