import { createNoopMeter } from "@opentelemetry/api";
import { randomUUID } from "node:crypto";
import { INSTRUMENTATION_SCOPE } from "../../instrumentation/semconv.ts";
import type { Component } from "../component.ts";
import { createEventLoopDelay, type EventLoopDelay } from "./event-loop-delay.ts";
import { createInstruments, type Instruments } from "./instruments.ts";
import { observeFigures } from "./observed-figures.ts";
import { loadPrometheusPackages, loadPushPackages } from "./optional-packages.ts";
import { createOtlpPush, type OtlpPush } from "./otlp-push.ts";
import { prometheusText } from "./prometheus-text.ts";
import { createPullReader } from "./pull-reader.ts";
import { createOwnTelemetry, selfResource } from "./self-resource.ts";
import { createSelfSpans, NO_SPANS, type SelfSpans } from "./self-spans.ts";
import type { TelemetrySources } from "./sources.ts";

export interface TelemetryOptions {
  /** Keep figures for `/metrics`. */
  readonly prometheus: boolean;
  /** OTLP/HTTP address that gets metrics and spans, without `/v1/…`. Default: none. */
  readonly endpoint?: string | undefined;
  /** Between two sendings, milliseconds. Default 30,000. */
  readonly intervalMillis?: number;
  /** Of the package. */
  readonly version: string;
  readonly onError: (what: string, error: unknown) => void;
}

/** The text of `/metrics`, or why there is none. */
export type MetricsText =
  | { readonly status: "ok"; readonly text: string }
  | { readonly status: "unavailable"; readonly message: string };

/** What the service says about itself. Without a reader all of it costs next to nothing. */
export interface Telemetry extends Component {
  readonly instruments: Instruments;
  readonly spans: SelfSpans;
  readonly eventLoopDelay: EventLoopDelay;
  /** Whether a body is telemetry of this very process. Always `false` while nothing is sent. */
  readonly isOwn: (payload: Uint8Array) => boolean;
  /** Figures to read when metrics are collected. To be called once. */
  observe(sources: TelemetrySources): void;
  metricsText(): Promise<MetricsText>;
}

/**
 * Loads what the options need of the OTel SDK. Providers are the telemetry's own and not registered: an agent or a
 * library in the same process neither feeds nor gets them.
 *
 * A missing package is told: by `/metrics`, and for sending to `onError`. The service goes on without.
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const instanceId = randomUUID();
  const resource = selfResource({ instanceId, version: options.version });
  const push = await pushOf(options, resource);
  const pull = await pullOf(options);
  const eventLoopDelay = createEventLoopDelay();
  const readers = [...(push === undefined ? [] : [push.reader]), ...("reader" in pull ? [pull.reader] : [])];
  const sdk = readers.length === 0 ? undefined : await import("@opentelemetry/sdk-metrics");
  const provider = sdk && new sdk.MeterProvider({ resource, readers });
  const meter = provider?.getMeter(INSTRUMENTATION_SCOPE, options.version) ?? createNoopMeter();
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    await eventLoopDelay.shutdown();
    // Sends what is left. A backend that is away is not waited for longer than its time-out.
    await Promise.allSettled([push?.tracers.shutdown(), provider?.shutdown()]);
  }

  return {
    instruments: createInstruments(meter),
    spans:
      push === undefined ? NO_SPANS : createSelfSpans(push.tracers.getTracer(INSTRUMENTATION_SCOPE, options.version)),
    eventLoopDelay,
    isOwn: push === undefined ? () => false : createOwnTelemetry(instanceId),
    observe: (sources) =>
      observeFigures(meter, { sources, eventLoopDelayP99: () => eventLoopDelay.p99(), now: Date.now }),
    metricsText: async () =>
      "text" in pull ? { status: "ok", text: await pull.text() } : { status: "unavailable", message: pull.message },
    start: () => eventLoopDelay.start(),
    shutdown: () => (stopped ??= stop()),
  };
}

async function pushOf(
  { endpoint, intervalMillis = 30_000, onError }: TelemetryOptions,
  resource: ReturnType<typeof selfResource>,
): Promise<OtlpPush | undefined> {
  if (endpoint === undefined) return undefined;
  const packages = await loadPushPackages();
  if (!("missing" in packages)) return createOtlpPush(packages, { endpoint, intervalMillis, resource, onError });
  onError("sending own telemetry", new Error(packages.message));
  return undefined;
}

async function pullOf({ prometheus }: TelemetryOptions) {
  if (!prometheus) return { message: "The metrics endpoint is off." };
  const packages = await loadPrometheusPackages();
  if ("missing" in packages) return packages;
  const reader = createPullReader(packages);
  const serializer = new packages.prometheus.PrometheusSerializer("", false, undefined, false, true);
  return { reader, text: () => prometheusText(reader, serializer) };
}
