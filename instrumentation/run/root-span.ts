import {
  context,
  isSpanContextValid,
  ProxyTracerProvider,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from "@opentelemetry/api";
import { failOpen } from "../fail-open.ts";
import type { Runtime } from "../runtime.ts";
import * as semconv from "../semconv.ts";
import type { RecordAttributes } from "../transport/record-span.ts";
import type { ActiveRun } from "./active-run.ts";
import { isExported } from "./call-span.ts";
import { newSpanId, newTraceId } from "./run-id.ts";
import { currentScope, type StepScope } from "./run-scope.ts";
import { contextIn } from "./scope-context.ts";
import { sendSpan } from "./send-record.ts";

/** The SDK's root span of a run, and the ids the run goes by, which are ours when there is no SDK. */
export interface RootSpan {
  readonly span: Span;
  /** Of the root span, and of all spans below it. */
  readonly tracer: Tracer;
  readonly exported: boolean;
  readonly traceId: string;
  readonly rootSpanId: string;
  /** `''` for none. */
  readonly parentSpanId: string;
}

export interface RootSpanStart {
  readonly name: string;
  readonly startUnixNano: bigint;
  readonly attributes: RecordAttributes;
}

/** A span of nobody, for when a tracer breaks. */
const noSpan = (): Span => trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 });

/** Opens the root span: child of the active span, or of the enclosing run's call where no SDK knows it. */
export function openRootSpan(shared: Runtime, start: RootSpanStart): RootSpan {
  const scope = currentScope();
  const within = failOpen("finding the parent span", () => parentContext(scope), context.active());
  const tracer =
    failOpen("finding the tracer", () => shared.tracer(), undefined) ?? new ProxyTracerProvider().getTracer("");
  const span = failOpen("opening the root span", () => startSpan(tracer, start, within), undefined) ?? noSpan();
  const own = span.spanContext();
  const outer = trace.getSpanContext(within);
  // Where no SDK exports, the active span is at best the run's root, and the scope knows the call we are in.
  const isOuter = outer !== undefined && isSpanContextValid(outer) && outer.spanId !== scope?.run.rootSpanId;
  const parent = isOuter ? outer : scopeParent(scope);
  // Without an SDK the API gives back the parent itself.
  const isOwn = isSpanContextValid(own) && own.spanId !== outer?.spanId;
  return {
    span,
    tracer,
    exported: isOwn && isExported(span),
    traceId: isOwn ? own.traceId : (parent?.traceId ?? newTraceId()),
    rootSpanId: isOwn ? own.spanId : newSpanId(),
    parentSpanId: parent?.spanId ?? "",
  };
}

const parentContext = (scope: StepScope | undefined): Context =>
  scope === undefined ? context.active() : contextIn(scope);

const scopeParent = (scope: StepScope | undefined): Pick<SpanContext, "traceId" | "spanId"> | undefined =>
  scope === undefined ? undefined : { traceId: scope.run.traceId, spanId: scope.spanId };

function startSpan(tracer: Tracer, { name, startUnixNano, attributes }: RootSpanStart, within: Context): Span {
  const startTime: [number, number] = [Number(startUnixNano / NANOS), Number(startUnixNano % NANOS)];
  return tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime, attributes: { ...attributes } }, within);
}

const NANOS = 1_000_000_000n;

export const rootSpanName = (agent: string): string => `${semconv.OPERATION_INVOKE_AGENT} ${agent}`;

/** What the root span says from its start. The contract travels on it too: the start record may be lost. */
export const rootAttributes = (
  run: Pick<ActiveRun, "recordAttributes" | "contractText">,
): Record<string, string | number> => ({
  ...run.recordAttributes,
  [semconv.ATTR_RUN_EVENT]: semconv.RUN_EVENT_ROOT,
  [semconv.ATTR_CONTRACT]: run.contractText,
});

/** Absent for none, as on every other span. */
export const silentRetries = ({ silentRetryCount: count }: ActiveRun): Record<string, number> =>
  count === 0 ? {} : { [semconv.ATTR_SILENT_RETRIES]: count };

/** Ends the root span with the closing evidence and, for a run that was aborted, the error class. */
export function endRootSpan(run: ActiveRun, evidence: string, error: string | null): void {
  const last = {
    [semconv.ATTR_EVIDENCE]: evidence,
    ...silentRetries(run),
    ...(error === null ? {} : { [semconv.ATTR_ERROR_TYPE]: error }),
  };
  if (!run.exported) {
    sendSpan(run, {
      name: rootSpanName(String(run.recordAttributes[semconv.ATTR_AGENT_NAME])),
      spanId: run.rootSpanId,
      parentSpanId: run.parentSpanId,
      startUnixNano: run.startUnixNano,
      endUnixNano: run.runtime.nowUnixNano(),
      attributes: { ...rootAttributes(run), ...last },
      error,
    });
  } else {
    run.span.setAttributes(last);
    if (error !== null) run.span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  }
  run.span.end();
}
