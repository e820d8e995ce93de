import { diag } from "@opentelemetry/api";
import { failOpen } from "../instrumentation/fail-open.ts";
import * as semconv from "../instrumentation/semconv.ts";
import { runFactsFromSpans } from "./evidence/run-facts-from-spans.ts";
import type { EndingSpan, SdkSpan, SdkSpanProcessor } from "./sdk-span.ts";
import { spanRowFromSdkSpan } from "./span-row-from-sdk-span.ts";
import { evaluationAttributes, verdictAttributes } from "./verdict-attributes.ts";
import { awaitsCalls } from "./verdict/awaits-calls.ts";
import { judge } from "./verdict/judge.ts";

export interface RunSpanProcessorOptions {
  /** Runs that may be open at once; beyond it the oldest is let go and left to the collector. Default 1,000. */
  readonly maxRuns?: number;
  /** Calls held per run; a run with more is left to the collector. Default 10,000. */
  readonly maxCallsPerRun?: number;
}

/**
 * Judges runs inside an agent that has its own OpenTelemetry SDK (2.x or 3.x) and perhaps no collector: while a run's
 * root span ends, it puts the verdict on that span, so that any OTLP backend can alert on it and `closeRun()` can
 * return it. The same `judge()` as everywhere; synchronous, pure, bounded; never throws into the SDK. A run it has not
 * seen whole gets no verdict here: half the evidence would tell another story than the collector's.
 *
 * Its place among the SDK's processors does not matter: `spanProcessors: [new RunSpanProcessor(), new BatchSpanProcessor(…)]`.
 */
export class RunSpanProcessor implements SdkSpanProcessor {
  readonly #maxRuns: number;
  readonly #maxCallsPerRun: number;
  /**
   * Calls of the open runs, oldest run first; `null` for a run of which something is missing. The spans as they are: an
   * SDK changes none that has ended, and a row of each, held until the run ends, is 1 KB that outlives young garbage.
   */
  readonly #runs = new Map<string, SdkSpan[] | null>();

  constructor(options: RunSpanProcessorOptions = {}) {
    this.#maxRuns = options.maxRuns ?? 1_000;
    this.#maxCallsPerRun = options.maxCallsPerRun ?? 10_000;
  }

  onStart(span: SdkSpan): void {
    failOpen("noting a run", () => isRoot(span) && this.#open(runIdOf(span)), undefined);
  }

  onEnding(span: EndingSpan): void {
    failOpen("judging a run", () => isRoot(span) && this.#close(span), undefined);
  }

  onEnd(span: SdkSpan): void {
    failOpen("holding a call", () => isCall(span) && this.#hold(span), undefined);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    this.#runs.clear();
  }

  #open(runId: string): void {
    this.#runs.set(runId, []);
    const oldest = this.#runs.keys().next().value;
    if (this.#runs.size <= this.#maxRuns || oldest === undefined) return;
    this.#runs.delete(oldest);
    diag.warn(`runproof: more than ${this.#maxRuns} open runs; run ${oldest} is left to the collector`);
  }

  #hold(span: SdkSpan): void {
    const runId = runIdOf(span);
    const calls = this.#runs.get(runId);
    if (calls === undefined || calls === null) return;
    if (calls.length < this.#maxCallsPerRun) calls.push(span);
    else this.#runs.set(runId, null);
  }

  #close(span: EndingSpan): void {
    const runId = runIdOf(span);
    const calls = this.#runs.get(runId) ?? null;
    this.#runs.delete(runId);
    if (calls === null) return;
    const facts = runFactsFromSpans(runId, [...calls, span].map(spanRowFromSdkSpan));
    const { contract, evidence } = facts;
    // The SDK's attribute limits may have cut them; the run's own records carry them whole to the collector.
    if (contract === null || evidence.closing === null) return;
    // A sampler that drops calls, or a neighbour that throws before our turn.
    if (awaitsCalls(evidence)) return;
    const verdict = judge(evidence, contract);
    span.setAttributes(verdictAttributes(verdict));
    span.addEvent(semconv.EVENT_EVALUATION_RESULT, evaluationAttributes(verdict));
  }
}

const isRoot = (span: SdkSpan): boolean => span.attributes[semconv.ATTR_RUN_EVENT] === semconv.RUN_EVENT_ROOT;

const isCall = (span: SdkSpan): boolean => typeof span.attributes[semconv.ATTR_CALL_KIND] === "string";

const runIdOf = (span: SdkSpan): string => String(span.attributes[semconv.ATTR_RUN_ID]);
