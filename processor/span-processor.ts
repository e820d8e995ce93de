import { diag } from "@opentelemetry/api";
import * as semconv from "../instrumentation/semconv.ts";
import type { SpanRow } from "./clickhouse/rows.ts";
import { runFactsFromSpans } from "./evidence/run-facts-from-spans.ts";
import type { EndingSpan, SdkSpan, SdkSpanProcessor } from "./sdk-span.ts";
import { spanRowFromSdkSpan, textOf } from "./span-row-from-sdk-span.ts";
import { evaluationAttributes, verdictAttributes } from "./verdict-attributes.ts";
import { judge } from "./verdict/judge.ts";

export interface RunSpanProcessorOptions {
  /** Runs whose calls are held at once; beyond it the oldest is let go and left to the collector. Default 1,000. */
  readonly maxRuns?: number;
  /** Calls held per run; a run with more is left to the collector. Default 10,000. */
  readonly maxCallsPerRun?: number;
}

/**
 * Judges runs inside an agent that has its own OpenTelemetry SDK (2.x or 3.x) and perhaps no collector: while a run's
 * root span ends, it puts the verdict on that span, so that any OTLP backend can alert on it and `closeRun()` can
 * return it. The same `judge()` as everywhere; synchronous, pure, bounded; never throws into the SDK.
 *
 * Give it to the SDK before the exporting processor: `spanProcessors: [new RunSpanProcessor(), new BatchSpanProcessor(…)]`.
 */
export class RunSpanProcessor implements SdkSpanProcessor {
  readonly #maxRuns: number;
  readonly #maxCallsPerRun: number;
  readonly #calls = new Map<string, SpanRow[]>();

  constructor(options: RunSpanProcessorOptions = {}) {
    this.#maxRuns = options.maxRuns ?? 1_000;
    this.#maxCallsPerRun = options.maxCallsPerRun ?? 10_000;
  }

  onStart(): void {}

  onEnding(span: EndingSpan): void {
    try {
      if (span.attributes[semconv.ATTR_RUN_EVENT] === semconv.RUN_EVENT_ROOT) this.#judgeRun(span);
    } catch (error) {
      diag.warn(`runproof: judging a run failed, the collector will do it: ${String(error)}`);
    }
  }

  onEnd(span: SdkSpan): void {
    try {
      if (typeof span.attributes[semconv.ATTR_CALL_KIND] === "string") this.#hold(span);
    } catch (error) {
      diag.warn(`runproof: a call was not seen: ${String(error)}`);
    }
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    this.#calls.clear();
  }

  #hold(span: SdkSpan): void {
    const runId = textOf(span.attributes[semconv.ATTR_RUN_ID]);
    const calls = this.#calls.get(runId) ?? [];
    if (calls.length === 0) {
      this.#calls.set(runId, calls);
      const oldest = this.#calls.keys().next().value;
      if (this.#calls.size > this.#maxRuns && oldest !== undefined) this.#calls.delete(oldest);
    }
    // One call too many is kept as the mark that this run cannot be judged here.
    if (calls.length <= this.#maxCallsPerRun) calls.push(spanRowFromSdkSpan(span));
  }

  #judgeRun(span: EndingSpan): void {
    const runId = textOf(span.attributes[semconv.ATTR_RUN_ID]);
    const calls = this.#calls.get(runId) ?? [];
    this.#calls.delete(runId);
    if (calls.length > this.#maxCallsPerRun) return;
    const facts = runFactsFromSpans(runId, [...calls, spanRowFromSdkSpan(span)]);
    const verdict = judge(facts.evidence, facts.contract);
    span.setAttributes(verdictAttributes(verdict));
    span.addEvent(semconv.EVENT_EVALUATION_RESULT, evaluationAttributes(verdict));
  }
}
