/** A package that only own telemetry needs, and that is not installed. */
export interface MissingPackages {
  readonly missing: readonly string[];
  /** What to do about it. */
  readonly message: string;
}

const missing = (packages: readonly string[]): MissingPackages => ({
  missing: packages,
  message: `Own telemetry needs packages that are not installed: run \`npm install ${packages.join(" ")}\`.`,
});

export interface PrometheusPackages {
  readonly metrics: typeof import("@opentelemetry/sdk-metrics");
  readonly prometheus: typeof import("@opentelemetry/exporter-prometheus");
}

/** What `/metrics` needs. */
export async function loadPrometheusPackages(): Promise<PrometheusPackages | MissingPackages> {
  try {
    const [metrics, prometheus] = await Promise.all([
      import("@opentelemetry/sdk-metrics"),
      import("@opentelemetry/exporter-prometheus"),
    ]);
    return { metrics, prometheus };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return missing(["@opentelemetry/sdk-metrics", "@opentelemetry/exporter-prometheus"]);
  }
}

export interface PushPackages {
  readonly metrics: typeof import("@opentelemetry/sdk-metrics");
  readonly metricsExporter: typeof import("@opentelemetry/exporter-metrics-otlp-proto");
  readonly trace: typeof import("@opentelemetry/sdk-trace");
  readonly traceExporter: typeof import("@opentelemetry/exporter-trace-otlp-proto");
}

/** What sending OTLP needs. */
export async function loadPushPackages(): Promise<PushPackages | MissingPackages> {
  try {
    const [metrics, metricsExporter, trace, traceExporter] = await Promise.all([
      import("@opentelemetry/sdk-metrics"),
      import("@opentelemetry/exporter-metrics-otlp-proto"),
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-proto"),
    ]);
    return { metrics, metricsExporter, trace, traceExporter };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return missing([
      "@opentelemetry/sdk-metrics",
      "@opentelemetry/exporter-metrics-otlp-proto",
      "@opentelemetry/sdk-trace",
      "@opentelemetry/exporter-trace-otlp-proto",
    ]);
  }
}

const isNotFound = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
