import { SpanKind, SpanStatusCode, context, trace, type Span } from "@opentelemetry/api";
import * as semconv from "../semconv.ts";
import type { ActiveRun } from "./active-run.ts";
import { newSpanId } from "./run-id.ts";
import { sendSpan } from "./send-record.ts";

export interface CallEnd {
  readonly attributes: Readonly<Record<string, string>>;
  /** Error class, or `null` for a good end. */
  readonly error: string | null;
}

/** The span of one call: the SDK's where it records, else one of ours on the flush-now path. */
export interface CallSpan {
  /** The SDK's span, to be made the active one; absent on the flush-now path. */
  readonly otel: Span | undefined;
  end(result: CallEnd): void;
}

/** Opens the span of a call, child of whatever span is active, else of the run. */
export function openCallSpan(
  run: ActiveRun,
  name: string,
  attributes: Record<string, string>,
  kind: SpanKind,
): CallSpan {
  const own = { ...attributes, [semconv.ATTR_RUN_ID]: run.runId };
  return run.recording ? sdkSpan(run, name, own, kind) : directSpan(run, name, own);
}

function sdkSpan(run: ActiveRun, name: string, attributes: Record<string, string>, kind: SpanKind): CallSpan {
  const active = context.active();
  const parent = trace.getSpan(active) === undefined ? trace.setSpan(active, run.span) : active;
  const span = run.runtime.tracer().startSpan(name, { kind, attributes }, parent);
  return {
    otel: span,
    end({ attributes: last, error }) {
      span.setAttributes(last);
      if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end();
    },
  };
}

/** Without an SDK, or sampled out, nobody else would send it, and a verdict needs every call. */
function directSpan(run: ActiveRun, name: string, attributes: Record<string, string>): CallSpan {
  const start = run.runtime.nowUnixNano();
  return {
    otel: undefined,
    end({ attributes: last, error }) {
      sendSpan(run, {
        name,
        spanId: newSpanId(),
        startUnixNano: start,
        endUnixNano: run.runtime.nowUnixNano(),
        attributes: { ...attributes, ...last },
        error,
      });
    },
  };
}
