import { createRequire } from "node:module";
import {
  context,
  trace,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
} from "@opentelemetry/api";
import { currentScope } from "../../instrumentation/run/run-scope.ts";
import { contextIn } from "../../instrumentation/run/scope-context.ts";

interface Flushable {
  readonly forceFlush?: () => Promise<void>;
}

/** The API's own stand-in, until somebody registers a provider. */
interface Proxy extends TracerProvider {
  getDelegate?(): TracerProvider;
  getDelegateTracer?(name: string): Tracer | undefined;
  setDelegate?(delegate: TracerProvider): void;
}

/**
 * Stands behind OpenTelemetry's API while the service has no SDK of its own, and gives way the moment it registers one:
 * nothing is registered globally, so that the service's own registration finds the place free, whenever it comes.
 */
export class JoinedProvider implements TracerProvider {
  readonly #own: () => (TracerProvider & Flushable) | undefined;

  /** `own` is asked for when the first span begins that nobody else takes. */
  constructor(own: () => (TracerProvider & Flushable) | undefined) {
    this.#own = own;
  }

  /** Puts itself behind every copy of the API within reach: the ESM and the CommonJS build are two. */
  standBehindApi(): void {
    const { trace: commonJs } = createRequire(import.meta.url)("@opentelemetry/api") as { trace: typeof trace };
    for (const api of [trace, commonJs]) {
      const proxy = api.getTracerProvider() as Proxy;
      if (proxy.getDelegateTracer?.("") === undefined) proxy.setDelegate?.(this);
    }
  }

  /** The provider the service registered, if it did. */
  theirs(): TracerProvider | undefined {
    const proxy = trace.getTracerProvider() as Proxy;
    if (proxy.getDelegate === undefined) return proxy;
    const delegate = proxy.getDelegate();
    return delegate === this || proxy.getDelegateTracer?.("") === undefined ? undefined : delegate;
  }

  /** What begins spans right now. */
  current(): (TracerProvider & Flushable) | undefined {
    return this.theirs() ?? this.#own();
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const of = (provider: TracerProvider | undefined): Tracer | undefined =>
      provider?.getTracer(name, version, options);
    let own: Tracer | undefined;
    return new JoinedTracer(
      () => of(this.theirs()),
      () => (own ??= of(this.#own())),
    );
  }

  async forceFlush(): Promise<void> {
    await this.#own()?.forceFlush?.();
  }
}

/** A tracer that looks anew for each span: one made before the service's SDK was there must not stay with ours. */
class JoinedTracer implements Tracer {
  readonly #theirs: () => Tracer | undefined;
  readonly #own: () => Tracer | undefined;

  constructor(theirs: () => Tracer | undefined, own: () => Tracer | undefined) {
    this.#theirs = theirs;
    this.#own = own;
  }

  startSpan(name: string, options: SpanOptions = {}, within: Context = context.active()): Span {
    const theirs = this.#theirs();
    if (theirs !== undefined) return theirs.startSpan(name, options, within);
    const parent = options.root === true ? within : inRun(within);
    return (this.#own() ?? NO_TRACER).startSpan(name, options, parent);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the API's own signature
  startActiveSpan<Result>(...args: [name: string, ...rest: unknown[]]): Result {
    const work = args.at(-1) as (span: Span) => Result;
    const [name, options, within = context.active()] = args.slice(0, -1) as [string, SpanOptions?, Context?];
    const span = this.startSpan(name, options, within);
    return context.with(trace.setSpan(within, span), work, undefined, span);
  }
}

/** Without a context manager OpenTelemetry knows no active span, and the run's own scope does. */
function inRun(within: Context): Context {
  const scope = currentScope();
  return scope === undefined || !scope.run.exported || trace.getSpan(within) !== undefined ? within : contextIn(scope);
}

const NO_TRACER: Tracer = {
  startSpan: () => trace.wrapSpanContext({ traceId: "", spanId: "", traceFlags: 0 }),
  startActiveSpan: () => {
    throw new Error("not used");
  },
};
