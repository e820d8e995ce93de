import type { Environment } from "../../instrumentation/environment.ts";
import { failOpen } from "../../instrumentation/fail-open.ts";
import { INSTRUMENTATION_SCOPE } from "../../instrumentation/semconv.ts";
import { setTracerSource } from "../../instrumentation/tracer-source.ts";
import { ProxyTracerProvider } from "@opentelemetry/api";
import { JoinedProvider } from "./joined-provider.ts";
import { createOwnProvider, type OwnProvider } from "./own-provider.ts";

/** The process's tracing, whoever set it up. */
export interface Tracing {
  isOwing(): boolean;
  flush(): Promise<void>;
  keepUnsent(): void;
}

/**
 * Spans of runs go through the service's own SDK where it registered one, else through one of ours, made when the first
 * span begins: by then a service that has an SDK has set it up.
 */
export function joinTracing(env: Environment): Tracing {
  let own: OwnProvider | null | undefined;
  const ownProvider = (): OwnProvider | undefined => {
    // Only once: what is not installed now will not be later.
    own ??= failOpen("setting up tracing", () => createOwnProvider(env), undefined) ?? null;
    return own ?? undefined;
  };
  const joined = new JoinedProvider(() => ownProvider()?.provider);
  failOpen("joining OpenTelemetry's API", () => joined.standBehindApi(), undefined);
  const nobody = new ProxyTracerProvider();
  setTracerSource(() => (joined.current() ?? nobody).getTracer(INSTRUMENTATION_SCOPE));
  return {
    isOwing: () => own?.queue.isOwing() === true,
    flush: async () => {
      const theirs = joined.theirs() as { readonly forceFlush?: () => Promise<void> } | undefined;
      await Promise.all([own?.provider.forceFlush(), theirs?.forceFlush?.()]);
    },
    keepUnsent: () => own?.queue.keepAll(),
  };
}
