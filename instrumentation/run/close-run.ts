import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { Claim, ClosingEvidence } from "../contract/evidence.ts";
import { parseVerdict } from "../contract/parse-verdict.ts";
import { failOpenAsync } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import { toJson } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, ClosedRun, Run } from "./active-run.ts";
import { observeClose } from "./observe-close.ts";
import { sendRecord, sendSpan } from "./send-record.ts";

export interface CloseOutcome {
  /** What the run told its user; `run.setAnswer()` sets the same. */
  readonly answer?: string;
  /** What the agent says of its run. Recorded, never believed. */
  readonly claim?: { readonly outcome: Claim["outcome"]; readonly detail?: string };
  /** The exception that ended the run. */
  readonly error?: { readonly errorClass: string; readonly message: string };
}

/** Everything that waits for the network while a run closes shares this bound, in deadlines of the flush-now path. */
const CLOSE_DEADLINES = 2;

/**
 * Closes a run: re-reads the evidence its contract asks for, puts it on the root span, ends the span (a
 * `RunSpanProcessor` judges at that moment) and sends a close record that survives the process. A second call gives the
 * first one's result. Never rejects.
 */
export function closeRun(run: Run, outcome: CloseOutcome = {}): Promise<ClosedRun> {
  const active = run as ActiveRun;
  active.closing ??= failOpenAsync("closeRun()", () => close(active, outcome), { runId: run.runId, verdict: null });
  return active.closing;
}

async function close(run: ActiveRun, outcome: CloseOutcome): Promise<ClosedRun> {
  if (outcome.answer !== undefined) run.setAnswer(outcome.answer);
  if (outcome.claim !== undefined) run.claim(outcome.claim.outcome, outcome.claim.detail);
  // Calls of a run without an SDK are on their way; their evidence belongs before the close.
  await bounded(run, Promise.allSettled([...run.pending]));
  const evidence = await closingEvidence(run, outcome);
  const text = canonicalJson(toJson(evidence) ?? {});
  endRootSpan(run, outcome, text);
  const verdict = run.recording ? verdictOf(run) : null;
  await Promise.all([sendClose(run, text), flushSdk(run)]);
  run.runtime.channel.runClosed(run.runId);
  return { runId: run.runId, verdict };
}

async function closingEvidence(run: ActiveRun, outcome: CloseOutcome): Promise<ClosingEvidence> {
  const redactor = run.runtime.redactor;
  const observed = await observeClose(run);
  const claim =
    run.claimed === null ? null : { outcome: run.claimed.outcome, detail: redactor.text(run.claimed.detail) };
  const error =
    outcome.error === undefined
      ? null
      : { errorClass: outcome.error.errorClass, message: redactor.text(outcome.error.message).slice(0, 2_000) };
  return {
    version: 1,
    claim,
    error,
    ...observed,
    answer: run.answer === null ? null : redactor.text(run.answer),
    toolCallCount: run.toolCallCount,
    stepCount: run.stepCount,
  };
}

function endRootSpan(run: ActiveRun, outcome: CloseOutcome, evidence: string): void {
  const end = run.runtime.nowUnixNano();
  const error = outcome.error?.errorClass ?? null;
  if (!run.recording) {
    const attributes = {
      ...run.recordAttributes,
      [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT,
      [semconv.ATTR_EVIDENCE]: evidence,
    };
    const name = `${semconv.OPERATION_INVOKE_AGENT} ${run.contract.agent}`;
    sendSpan(run, {
      name,
      spanId: run.rootSpanId,
      parentSpanId: "",
      startUnixNano: run.startUnixNano,
      endUnixNano: end,
      attributes,
      error,
    });
    return;
  }
  run.span.setAttribute(semconv.ATTR_EVIDENCE, evidence);
  if (error !== null) {
    run.span.setAttribute(semconv.ATTR_ERROR_TYPE, error);
    run.span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  }
  run.span.end();
}

/** The attributes a `RunSpanProcessor` set while the span ended; an SDK's span lets them be read. */
function verdictOf(run: ActiveRun): ClosedRun["verdict"] {
  const attributes = (run.span as { attributes?: Readonly<Record<string, unknown>> }).attributes ?? {};
  return parseVerdict({
    status: attributes[semconv.ATTR_VERDICT_STATUS],
    reasons: attributes[semconv.ATTR_VERDICT_REASONS],
    proofs: attributes[semconv.ATTR_VERDICT_PROOFS],
  });
}

const sendClose = (run: ActiveRun, evidence: string): Promise<void> =>
  failOpenAsync(
    "sending the close record",
    () => sendRecord(run, semconv.RUN_EVENT_CLOSE, { [semconv.ATTR_EVIDENCE]: evidence }),
    undefined,
  );

/** The batch processor would keep the run's spans for seconds, and a process that exits now would lose them. */
async function flushSdk(run: ActiveRun): Promise<void> {
  if (!run.recording || !run.runtime.options.flushOnClose) return;
  await failOpenAsync("flushing the SDK", () => bounded(run, flushProvider()), undefined);
}

interface Flushable {
  readonly forceFlush?: () => Promise<void>;
  readonly getDelegate?: () => Flushable;
}

async function flushProvider(): Promise<void> {
  const provider = trace.getTracerProvider() as Flushable;
  await (provider.getDelegate?.() ?? provider).forceFlush?.();
}

async function bounded(run: ActiveRun, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, run.runtime.options.deadlineMillis * CLOSE_DEADLINES);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
