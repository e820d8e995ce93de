import { isJsonObject } from "../../instrumentation/json/json.ts";
import type { Verdict } from "../../instrumentation/contract/verdict.ts";
import { RUN_COLUMNS, type RunRow } from "../clickhouse/run-rows.ts";
import type { RunFacts } from "../evidence/run-facts.ts";
import { evidenceRank, verdictVersion } from "./evidence-rank.ts";

/** The collector's clock, milliseconds since the epoch. The agent's clock decides nothing. */
export interface RunTimes {
  readonly receivedAt: number;
  readonly deadlineAt: number;
  readonly now: number;
}

/** A version of the run record without what only the collector's clock says. */
export type TimelessRow = Omit<RunRow, "received_at" | "deadline_at" | "judged_at">;

/** One version of the run record. `verdict` is `null` while the run is open. */
export const runRowFromFacts = (facts: RunFacts, verdict: Verdict | null, times: RunTimes): RunRow =>
  timedRow(timelessRow(facts, verdict), times);

export const timedRow = (row: TimelessRow, { receivedAt, deadlineAt, now }: RunTimes): RunRow => ({
  ...row,
  received_at: receivedAt,
  deadline_at: deadlineAt,
  judged_at: now,
});

export function timelessRow(facts: RunFacts, verdict: Verdict | null): TimelessRow {
  const rank = evidenceRank(facts);
  return {
    run_id: facts.runId,
    parent_run_id: facts.parentRunId,
    task_id: facts.taskId,
    attempt: facts.attempt,
    agent_name: facts.agentName,
    run_type: facts.runType,
    fixture_id: facts.fixtureId,
    started_at: facts.startUnixNano ?? "0",
    code_version: facts.codeVersion,
    model: facts.model,
    prompt_version: facts.promptVersion,
    tool_allowlist: facts.contract?.tools?.allowed ?? [],
    timeout_seconds: facts.timeoutSeconds,
    input_sha256: facts.inputSha256,
    state_refs: isJsonObject(facts.state) ? Object.keys(facts.state) : [],
    artifact_refs: (facts.evidence.closing?.artifacts ?? []).map((artifact) => artifact.ref),
    status: verdict?.status ?? "started",
    failure_class: verdict?.failureClass ?? "",
    failure_reason: verdict?.failureReason ?? "",
    closed_at: facts.closeUnixNano,
    trace_id: facts.traceId,
    root_span_id: facts.rootSpanId,
    service_name: facts.serviceName,
    project: facts.project,
    contract_sha256: facts.contractSha256,
    reasons: JSON.stringify(verdict?.reasons ?? []),
    proofs: JSON.stringify(verdict?.proofs ?? []),
    evidence_rank: rank,
    fact_count: facts.factCount,
    version: verdictVersion(rank, facts.factCount),
  };
}

/** Whether a new version says anything that the current one does not; versions and clocks aside. */
export function saysSomethingNew(next: RunRow, current: RunRow | undefined): boolean {
  if (current === undefined) return true;
  if (next.version <= current.version) return false;
  const content = ({ version: _v, fact_count: _f, judged_at: _j, ...rest }: RunRow): string =>
    JSON.stringify(rest, RUN_COLUMNS as string[]);
  return content(next) !== content(current);
}

/** Whether a new version comes to another verdict, not only to another time or reference. */
export const judgesOtherwise = (next: RunRow, current: RunRow | undefined): boolean =>
  current === undefined || VERDICT_COLUMNS.some((column) => next[column] !== current[column]);

const VERDICT_COLUMNS = ["status", "failure_class", "failure_reason", "reasons", "proofs"] as const;
