import { trace } from "@opentelemetry/api";
import type { Claim } from "../contract/evidence.ts";
import { parseVerdict } from "../contract/parse-verdict.ts";
import { failOpen, failOpenAsync } from "../fail-open.ts";
import { realMonotonicMillis } from "../real-sources.ts";
import * as semconv from "../semconv.ts";
import type { ActiveRun, ClosedRun, Run } from "./active-run.ts";
import { closingEvidenceText } from "./closing-evidence-text.ts";
import { leaveOpenCalls } from "./open-calls.ts";
import { endRootSpan, silentRetries } from "./root-span.ts";
import { sendRecord } from "./send-record.ts";

export interface CloseOutcome {
  /** What the run told its user; `run.setAnswer()` sets the same. */
  readonly answer?: string;
  /** What the agent says of its run. Recorded, never believed. */
  readonly claim?: { readonly outcome: Claim["outcome"]; readonly detail?: string };
  /** The exception that ended the run; `errorClass` as `error.type` of OpenTelemetry has it. */
  readonly error?: { readonly errorClass: string; readonly message: string };
}

/** Everything that waits for the network while a run closes shares this bound, in deadlines of the flush-now path. */
const CLOSE_DEADLINES = 2;

/**
 * Closes a run: re-reads the evidence its contract asks for, puts it on the root span, ends the span (a
 * `RunSpanProcessor` judges at that moment) and sends a close record that survives the process. Takes as long as the
 * probes and, when the collector hangs, two deadlines of the flush-now path. A second call gives the first one's
 * result. Never rejects.
 */
export function closeRun(run: Run, outcome: CloseOutcome = {}): Promise<ClosedRun> {
  const active = run as ActiveRun;
  active.closing ??= failOpenAsync("closeRun()", () => close(active, outcome), { runId: run.runId, verdict: null });
  return active.closing;
}

async function close(run: ActiveRun, outcome: CloseOutcome): Promise<ClosedRun> {
  const { deadlineMillis } = run.runtime.options;
  // Calls of a run without an SDK are on their way; their evidence belongs before the close.
  const began = realMonotonicMillis();
  failOpen("leaving open calls", () => leaveOpenCalls(run), undefined);
  await within(deadlineMillis, settled(run));
  const leftMillis = deadlineMillis * CLOSE_DEADLINES - (realMonotonicMillis() - began);
  const errorClass = errorClassOfOutcome(run, outcome);
  const evidence = await closingEvidenceText(run, outcome, errorClass);
  failOpen("ending the root span", () => endRootSpan(run, evidence, errorClass), undefined);
  const verdict = run.exported ? failOpen("reading the verdict", () => verdictOf(run), null) : null;
  await Promise.all([sendClose(run, evidence), flushSdk(run, leftMillis)]);
  // The root span of a run without an SDK went out before the close record; and a process that lives for one run only
  // is nevertheless the next one after those that died.
  const { channel, resent } = run.runtime;
  const last = channel.canDeliver() ? [settled(run), resent] : [settled(run)];
  await within(Math.min(deadlineMillis, leftMillis), Promise.all(last));
  channel.runClosed(run.runId);
  return { runId: run.runId, verdict };
}

const errorClassOfOutcome = (run: ActiveRun, { error }: CloseOutcome): string | null =>
  error === undefined ? null : run.runtime.redactor.text(String(error.errorClass)).slice(0, 200);

const settled = (run: ActiveRun): Promise<unknown> => Promise.allSettled([...run.pending]);

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
    () => sendRecord(run, semconv.RUN_EVENT_CLOSE, { [semconv.ATTR_EVIDENCE]: evidence, ...silentRetries(run) }),
    undefined,
  );

/** The batch processor would keep the run's spans for seconds, and a process that exits now would lose them. */
async function flushSdk(run: ActiveRun, atMostMillis: number): Promise<void> {
  if (!run.exported || !run.runtime.options.flushOnClose) return;
  await within(atMostMillis, failOpenAsync("flushing the SDK", flushProvider, undefined));
}

interface Flushable {
  readonly forceFlush?: () => Promise<void>;
  readonly getDelegate?: () => Flushable;
}

async function flushProvider(): Promise<void> {
  const provider = trace.getTracerProvider() as Flushable;
  await (provider.getDelegate?.() ?? provider).forceFlush?.();
}

async function within(millis: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, millis);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
