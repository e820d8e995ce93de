import { SpanStatusCode, type Attributes, type Tracer } from "@opentelemetry/api";

export interface SelfSpanOptions {
  readonly name: string;
  readonly attributes?: Attributes;
  /** `false`: the work is about our own telemetry, and a span of it would beget the next one. Default `true`. */
  readonly worthASpan?: boolean;
}

/** Spans about the service's own work. */
export interface SelfSpans {
  /** Does the work, and perhaps tells of it. Resolves and rejects as the work does. */
  around<Result>(options: SelfSpanOptions, work: () => Promise<Result>): Promise<Result>;
}

export const NO_SPANS: SelfSpans = { around: (_options, work) => work() };

/** Work longer than this is always told, milliseconds. */
const SLOW_MILLIS = 1_000;
/** Of ordinary work one in so many is. */
const ONE_OF = 10;

/**
 * Whether a span is worth sending is known when the work is over: what fails or is slow is always told, and one in ten of
 * the rest, the first of each name included. The spans have no parents: the work is not part of anybody's trace.
 */
export function createSelfSpans(tracer: Tracer): SelfSpans {
  const seen = new Map<string, number>();

  function isChosen(name: string): boolean {
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count % ONE_OF === 0;
  }

  function tell({ name, attributes = {} }: SelfSpanOptions, startTime: number, failure?: string): void {
    const span = tracer.startSpan(name, { startTime, attributes, root: true });
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end();
  }

  return {
    async around(options, work) {
      if (options.worthASpan === false) return work();
      const startTime = Date.now();
      try {
        const result = await work();
        if (isChosen(options.name) || Date.now() - startTime > SLOW_MILLIS) tell(options, startTime);
        return result;
      } catch (error) {
        tell(options, startTime, error instanceof Error ? error.message : String(error));
        throw error;
      }
    },
  };
}
