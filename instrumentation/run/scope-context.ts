import { context, trace, TraceFlags, type Context } from "@opentelemetry/api";
import type { StepScope } from "./run-scope.ts";

/**
 * The active context, in which a span that begins here finds its parent: the active span, else the enclosing call or the
 * run. Without a context manager OpenTelemetry knows of no active span, and the scope does.
 */
export function contextIn({ run, spanId }: StepScope): Context {
  const active = context.active();
  if (trace.getSpan(active) !== undefined) return active;
  if (spanId === run.rootSpanId) return trace.setSpan(active, run.span);
  return trace.setSpanContext(active, { traceId: run.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
