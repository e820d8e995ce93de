import { contractSha256, type RunContract } from "../../../instrumentation/contract/contract.ts";
import type { ClosingEvidence } from "../../../instrumentation/contract/evidence.ts";
import * as semconv from "../../../instrumentation/semconv.ts";
import type { SpanRow } from "../../clickhouse/rows.ts";
import { callSpan, closeSpan, rootSpan, startSpan, testRun, text } from "../../testing/run-spans.ts";
import type { StoredHistory, StoredVersion } from "./memory-history.ts";

/** A run as it is stored: what its spans say, and what its record does. */
export interface StoredRunPlan {
  readonly id: number;
  readonly project: string;
  readonly startMillis: number;
  readonly recorded: RunContract;
  /** Tools it called. */
  readonly calls: readonly string[];
  readonly evidence: Partial<ClosingEvidence>;
  readonly status: string;
  /** Ended with all records, with a close record alone, or not at all. */
  readonly end: "root" | "close" | "none";
  /** How much later its last call began, milliseconds: past any slice. */
  readonly lateMillis: number;
  /** Every span is stored twice. */
  readonly isDoubled: boolean;
  /** Spans that its record rests on and that are not there. */
  readonly lost: number;
  /** By how much an older version of its record was mistaken about its start, milliseconds. */
  readonly correctedMillis: number;
}

export function storedRuns(plans: readonly StoredRunPlan[]): StoredHistory {
  const built = plans.map(storedRun);
  const contracts = plans.map(({ recorded, project }) => ({
    contract_sha256: contractSha256(recorded),
    project,
    contract: text(recorded),
  }));
  return { versions: built.flatMap((one) => one.versions), spans: built.flatMap((one) => one.spans), contracts };
}

const nanos = (millis: number): string => String(BigInt(millis) * 1_000_000n);

function storedRun(plan: StoredRunPlan): { versions: StoredVersion[]; spans: SpanRow[] } {
  const { id, project, startMillis, recorded, calls, evidence, end } = plan;
  // Projects share the ids of runs and traces.
  const run = testRun({
    runId: `run-${id}`,
    traceId: id.toString(16).padStart(32, "0"),
    rootSpanId: id.toString(16).padStart(16, "0"),
    contract: recorded,
    startMillis,
  });
  const closed = { toolCallCount: calls.length, ...evidence };
  const own = [
    startSpan(run),
    ...calls.map((tool, index) => {
      const late = index === calls.length - 1 ? plan.lateMillis : 0;
      return callSpan(run, tool, { fields: { Timestamp: nanos(startMillis + 100 + late) } });
    }),
    ...(end === "root" ? [rootSpan(run, closed)] : []),
    ...(end === "none" ? [] : [closeSpan(run, closed)]),
  ].map((span) => ({
    ...span,
    ResourceAttributes: { ...span.ResourceAttributes, ...(project === "" ? {} : { [semconv.ATTR_PROJECT]: project }) },
  }));
  const current: StoredVersion = {
    runId: run.runId,
    traceId: run.traceId,
    project,
    agent: recorded.agent,
    runType: "live",
    startedAt: nanos(startMillis),
    closedAt: end === "none" ? null : nanos(startMillis + 500),
    timeoutSeconds: 60,
    status: plan.status,
    contractSha256: contractSha256(recorded),
    factCount: own.length + plan.lost,
    version: 2,
  };
  const older = { ...current, status: "started", startedAt: nanos(startMillis + plan.correctedMillis), version: 1 };
  return { versions: [older, current], spans: plan.isDoubled ? [...own, ...own] : own };
}
