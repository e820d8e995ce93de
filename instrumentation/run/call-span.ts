import { isSpanContextValid, SpanStatusCode, TraceFlags, type Span, type SpanKind } from "@opentelemetry/api";
import * as semconv from "../semconv.ts";
import { newSpanId } from "./run-id.ts";
import { contextIn } from "./scope-context.ts";
import type { StepScope } from "./run-scope.ts";
import { sendSpan } from "./send-record.ts";

export interface CallStart {
  readonly name: string;
  readonly kind: SpanKind;
  /** May be those of many calls. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Of this call alone; they win. */
  readonly own: Readonly<Record<string, string>>;
}

export interface CallEnd {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Error class, or `null` for a good end. */
  readonly error: string | null;
}

/** The span of one call: the SDK's where it is exported, else one of ours on the flush-now path. */
export interface CallSpan {
  readonly spanId: string;
  /** The SDK's span, to be made the active one; absent when no SDK is there. */
  readonly otel: Span | undefined;
  end(result: CallEnd): void;
}

/** Whether an SDK will send this span: one that is recorded but not sampled stays in the process. */
export const isExported = (span: Span): boolean =>
  span.isRecording() && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;

/** Opens the span of a call, child of whatever span is active, else of the enclosing call or the run. */
export function openCallSpan(scope: StepScope, start: CallStart): CallSpan {
  const { run } = scope;
  const { name, kind } = start;
  // Not `{ ...start.attributes, more }`: V8 gives each such object a hidden class of its own: 1.3 µs, and garbage.
  const attributes: Record<string, string> = Object.assign({}, start.attributes, start.own);
  attributes[semconv.ATTR_RUN_ID] = run.runId;
  if (!run.exported) return directSpan(scope, name, attributes);
  const span = run.tracer.startSpan(name, { kind, attributes }, contextIn(scope));
  // A sampler may drop single calls of a run that it keeps.
  return isExported(span) ? new SdkCallSpan(span) : directSpan(scope, name, attributes, span);
}

class SdkCallSpan implements CallSpan {
  readonly otel: Span;
  readonly spanId: string;

  constructor(span: Span) {
    this.otel = span;
    this.spanId = span.spanContext().spanId;
  }

  end({ attributes, error }: CallEnd): void {
    this.otel.setAttributes(attributes);
    if (error !== null) this.otel.setStatus({ code: SpanStatusCode.ERROR, message: error });
    this.otel.end();
  }
}

/** Without an SDK, or sampled out, nobody else would send it, and a verdict needs every call. */
function directSpan(scope: StepScope, name: string, attributes: Record<string, string>, unsent?: Span): CallSpan {
  const { run } = scope;
  const startUnixNano = run.runtime.nowUnixNano();
  const known = unsent?.spanContext();
  const isOwn = known !== undefined && isSpanContextValid(known) && known.spanId !== scope.spanId;
  const spanId = isOwn ? known.spanId : newSpanId();
  return {
    spanId,
    otel: unsent,
    end({ attributes: last, error }) {
      sendSpan(run, {
        name,
        spanId,
        parentSpanId: scope.spanId,
        startUnixNano,
        endUnixNano: run.runtime.nowUnixNano(),
        attributes: { ...attributes, ...last },
        error,
      });
      unsent?.end();
    },
  };
}
