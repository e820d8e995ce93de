import type { TracerProvider } from "@opentelemetry/sdk-trace";
import type { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { gaugesOfNow } from "./gauges-of-now.ts";
import type { PushPackages } from "./optional-packages.ts";
import type { selfResource } from "./self-resource.ts";

export interface OtlpPushOptions {
  /** OTLP/HTTP address, without `/v1/…`. */
  readonly endpoint: string;
  readonly intervalMillis: number;
  readonly resource: ReturnType<typeof selfResource>;
  /** Told once when sending begins to fail. */
  readonly onError: (what: string, error: unknown) => void;
}

export interface OtlpPush {
  /** For the provider of the metrics. */
  readonly reader: PeriodicExportingMetricReader;
  readonly tracers: TracerProvider;
}

/** An exporter may wait this long for the other side; longer, and a stop would wait for it, too. */
const TIMEOUT_MILLIS = 5_000;

/** Sends metrics and spans of the service to another backend. Failures are told and otherwise without effect. */
export function createOtlpPush(packages: PushPackages, options: OtlpPushOptions): OtlpPush {
  const { endpoint, intervalMillis, resource } = options;
  const urlOf = (signal: string): string => `${endpoint.replace(/\/+$/, "")}/v1/${signal}`;
  const metricExporter = new packages.metricsExporter.OTLPMetricExporter({
    url: urlOf("metrics"),
    timeoutMillis: TIMEOUT_MILLIS,
  });
  metricExporter.selectAggregationTemporality = gaugesOfNow(packages.metrics);
  const traceExporter = new packages.traceExporter.OTLPTraceExporter({
    url: urlOf("traces"),
    timeoutMillis: TIMEOUT_MILLIS,
  });
  tellOfFailures(metricExporter, () => options.onError("sending own metrics", endpointError(endpoint)));
  tellOfFailures(traceExporter, () => options.onError("sending own spans", endpointError(endpoint)));
  return {
    reader: new packages.metrics.PeriodicExportingMetricReader({
      exporter: metricExporter,
      exportIntervalMillis: intervalMillis,
      exportTimeoutMillis: Math.min(TIMEOUT_MILLIS, intervalMillis),
    }),
    tracers: new packages.trace.TracerProvider({
      resource,
      spanProcessors: [
        new packages.trace.BatchSpanProcessor({
          exporter: traceExporter,
          scheduledDelayMillis: intervalMillis,
          exportTimeoutMillis: TIMEOUT_MILLIS,
        }),
      ],
    }),
  };
}

const endpointError = (endpoint: string): Error => new Error(`${endpoint} does not take it`);

interface Exporter {
  export(items: never, done: (result: { readonly code: number }) => void): void;
}

/** The SDK tells failures to nobody. Here they are told when they begin, not each time. */
function tellOfFailures(exporter: Exporter, onFailure: () => void): void {
  const send = exporter.export.bind(exporter);
  let failing = false;
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0 && !failing) onFailure();
      failing = result.code !== 0;
      done(result);
    });
}
