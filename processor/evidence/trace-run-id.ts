const PREFIX = "trace-";

/**
 * Name of the run that a trace of another instrumentation is. Made from the trace alone: the span that will be its root
 * ends, and so arrives, last, and the run must have its name from its first span on.
 */
export const traceRunId = (traceId: string): string => `${PREFIX}${traceId}`;

/** Whether a run is a trace that carries no run of ours. */
export const isTraceRun = ({ runId, traceId }: { readonly runId: string; readonly traceId: string }): boolean =>
  runId === traceRunId(traceId);
