import { trace, type Tracer } from "@opentelemetry/api";
import { INSTRUMENTATION_SCOPE } from "./semconv.ts";

// One slot for the process: the copy of the package that sets up tracing may not be the one that opens runs.
const SLOT = Symbol.for("runproof.tracer-source");
const slots = globalThis as unknown as Record<symbol, (() => Tracer) | undefined>;

/** Where the spans of runs come from: OpenTelemetry's global tracer, unless somebody says otherwise. */
export const currentTracer = (): Tracer => slots[SLOT]?.() ?? trace.getTracer(INSTRUMENTATION_SCOPE);

/** `source` is asked once for each run, whose spans then all come from the same tracer. */
export function setTracerSource(source: (() => Tracer) | undefined): void {
  slots[SLOT] = source;
}
