import { context, createContextKey, ROOT_CONTEXT, trace, TraceFlags, type Context } from "@opentelemetry/api";
import type { StepScope } from "./run-scope.ts";

/**
 * The active context, in which a span that begins here finds its parent: the active span, else the enclosing call or the
 * run. Without a context manager OpenTelemetry knows of no active span, and the scope does.
 */
export function contextIn(scope: StepScope): Context {
  const active = context.active();
  if (trace.getSpan(active) !== undefined) return active;
  // A context is a map and three functions: one for all spans that begin here.
  if (scope.parent?.active !== active) scope.parent = { active, context: parentContext(scope, active) };
  return scope.parent.context;
}

function parentContext({ run, spanId }: StepScope, active: Context): Context {
  if (spanId === run.rootSpanId) return trace.setSpan(active, run.span);
  return trace.setSpanContext(active, { traceId: run.traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}

/** Whether a context manager is there. Without one a context that is made reaches nobody. */
export const isContextCarried = (): boolean => context.active() !== ROOT_CONTEXT || context.with(MARKED, isMarked);

const MARKED = ROOT_CONTEXT.setValue(createContextKey("runproof"), true);
const isMarked = (): boolean => context.active() === MARKED;
