import type { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";

type ResourceMetrics = Parameters<PrometheusSerializer["serialize"]>[0];

/** Words that OpenTelemetry's compatibility rules append to a Prometheus name; `{…}` and none add nothing. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", "1": "ratio" };

/**
 * Names as OpenTelemetry's Prometheus compatibility rules want them, `runproof_spool_size_bytes`: the serializer itself
 * adds `_total`, but no units (0.301).
 */
export function withUnitNames(metrics: ResourceMetrics): ResourceMetrics {
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => {
        const { name, unit } = metric.descriptor;
        const word = UNIT_WORDS[unit];
        const descriptor = { ...metric.descriptor, name: word === undefined ? name : `${name}.${word}`, unit: "" };
        return { ...metric, descriptor };
      }),
    })),
  };
}

/** Collects what the reader's provider knows now. Rejects when the reader is shut down. */
export async function prometheusText(reader: PrometheusExporter, serializer: PrometheusSerializer): Promise<string> {
  const { resourceMetrics } = await reader.collect();
  const text = serializer.serialize(withUnitNames(resourceMetrics));
  // The format wants every line ended, the last one, too.
  return text.endsWith("\n") ? text : `${text}\n`;
}
