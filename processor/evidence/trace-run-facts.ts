import { contractSha256, type RunContract } from "../../instrumentation/contract/contract.ts";
import type { ClosingEvidence, RunEvidence } from "../../instrumentation/contract/evidence.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { LogRow, SpanRow } from "../clickhouse/rows.ts";
import { completenessOf, normaliseRun, type Completeness, type NormalisedRun } from "./dialect/index.ts";
import { distinctSpans } from "./distinct-spans.ts";
import type { RunFacts } from "./run-facts.ts";
import { attribute, endUnixNano, resourceAttribute } from "./span-attributes.ts";
import { traceCalls } from "./trace-calls.ts";
import { traceRoot, type TraceRoot } from "./trace-root.ts";
import { traceRunId } from "./trace-run-id.ts";

export interface TraceOfRun {
  readonly traceId: string;
  /** All of one project. */
  readonly spans: readonly SpanRow[];
  /** Log records of the trace that tell of model calls. */
  readonly logs: readonly LogRow[];
}

/** What the trace itself cannot say. */
export interface KnownOfTrace {
  /** What the agent of this name promises; `undefined`: nobody said. */
  readonly contractOf: (agentName: string) => RunContract | undefined;
  /** The deadline passed: what is there is all there will be. */
  readonly isGivenUp?: boolean;
  /** Why these spans are not all there is. */
  readonly gap?: string;
}

/**
 * Folds a trace of another instrumentation into the facts of one run. Pure, idempotent, order-free and total, as
 * `runFactsFromSpans` is. Nothing of ours was in the process, so no probe re-read anything: such a run can fail by its
 * tool calls, and can pass by them, but what only a probe could have seen stays unknown.
 */
export function runFactsFromTrace({ traceId, spans, logs }: TraceOfRun, known: KnownOfTrace): RunFacts {
  const distinct = distinctSpans(spans);
  const run = normaliseRun(distinct, logs);
  const completeness = completenessOf(run);
  const root = traceRoot(distinct, run);
  const contract = known.contractOf(run.agentName) ?? null;
  const told = traceCalls(run.steps, completeness.missing, contract?.tools?.sideEffects ?? {});
  const runId = traceRunId(traceId);
  const evidence = evidenceOf({ runId, run, completeness, root, known, toolCalls: told.evidence });
  return {
    ...NEVER_TOLD,
    ...rootFacts(root),
    ...contractFacts(contract),
    runId,
    traceId,
    agentName: run.agentName,
    model: run.steps.find(({ kind }) => kind === "model")?.requestModel ?? "",
    project: projectOf(distinct),
    input: run.input,
    inputSha256: run.input === undefined ? "" : hashJson(run.input),
    closeUnixNano: evidence.phase === "ended" ? endOf(root) : null,
    evidence,
    calls: told.calls,
    completeness,
    awaitsContent: evidence.phase === "ended" && completeness.grade === "incomplete",
    factCount: distinct.length + new Set(logs.map(logIdentity)).size,
  };
}

/** What no other instrumentation knows of. */
const NEVER_TOLD = {
  parentRunId: "",
  runType: "live",
  fixtureId: "",
  taskId: "",
  attempt: 1,
  promptVersion: "",
  state: undefined,
  contractProblem: null,
  subRunCalls: [],
} as const;

const rootFacts = ({ span }: TraceRoot) => ({
  rootSpanId: span?.SpanId ?? "",
  serviceName: span?.ServiceName ?? "",
  codeVersion: span === undefined ? "" : resourceAttribute(span, semconv.ATTR_SERVICE_VERSION),
  startUnixNano: span?.Timestamp ?? null,
});

const DEFAULT_TIMEOUT_SECONDS = 3_600;

const contractFacts = (contract: RunContract | null) => ({
  contract,
  contractSha256: contract === null ? "" : contractSha256(contract),
  timeoutSeconds: contract?.limits.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
});

const endOf = ({ span }: TraceRoot): string | null => (span === undefined ? null : String(endUnixNano(span)));

/** As the store counts them. */
const logIdentity = (log: LogRow): string => JSON.stringify([log.Timestamp, log.SpanId, log.EventName]);

const secondsBetween = (from: string, to: string): number => Number(BigInt(to) - BigInt(from)) / 1e9;

const projectOf = (spans: readonly SpanRow[]): string =>
  spans
    .map((span) => attribute(span, semconv.ATTR_PROJECT) || resourceAttribute(span, semconv.ATTR_PROJECT))
    .find((project) => project !== "") ?? "";

interface Parts {
  readonly runId: string;
  readonly run: NormalisedRun;
  readonly completeness: Completeness;
  readonly root: TraceRoot;
  readonly known: KnownOfTrace;
  readonly toolCalls: RunEvidence["toolCalls"];
}

function evidenceOf(parts: Parts): RunEvidence {
  const { runId, run, root, known, toolCalls } = parts;
  const hasEnded = root.isEnd || known.isGivenUp === true;
  const end = hasEnded ? endOf(root) : null;
  return {
    runId,
    agentName: run.agentName,
    phase: hasEnded ? "ended" : "open",
    abandonCause: null,
    elapsedSeconds: end === null || root.span === undefined ? null : secondsBetween(root.span.Timestamp, end),
    toolCalls,
    closing: hasEnded ? closingOf(run, root, toolCalls.length) : null,
    gaps: gapsOf(parts),
    isUnprobed: true,
  };
}

/** What keeps a verdict from being sure. */
function gapsOf({ completeness, root, known }: Parts): string[] {
  const lacks = completeness.missing.filter(({ needed }) => needed === "verdict");
  const gaps = lacks.slice(0, MAX_GAPS).map(({ step, field }) => `the trace lacks: ${step}: ${field}`);
  if (lacks.length > MAX_GAPS) gaps.push(`and ${lacks.length - MAX_GAPS} more`);
  if (!root.isEnd && known.isGivenUp === true) gaps.push("the span that would end the trace never arrived");
  if (known.gap !== undefined) gaps.push(known.gap);
  return gaps;
}

const MAX_GAPS = 20;

function closingOf(run: NormalisedRun, root: TraceRoot, toolCallCount: number): ClosingEvidence {
  const calls = run.steps.filter(({ kind }) => kind === "model" || kind === "tool");
  const errorClass = root.errorClass;
  return {
    version: 1,
    claim: null,
    error: errorClass === null ? null : { errorClass, message: root.span?.StatusMessage ?? "" },
    artifacts: [],
    paths: [],
    changedPaths: null,
    state: null,
    verification: null,
    answer: run.answer,
    // Inferred ones are not calls of their own.
    toolCallCount: Math.min(
      toolCallCount,
      calls.filter(({ kind, source }) => kind === "tool" && source === "span").length,
    ),
    stepCount: calls.length,
    gaps: [],
  };
}
