import type { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";

type ResourceMetrics = Parameters<PrometheusSerializer["serialize"]>[0];

/** Words that OpenTelemetry's compatibility rules append to a Prometheus name; `{…}` and none add nothing. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", min: "minutes", By: "bytes", "1": "ratio" };

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
        const descriptor = { ...metric.descriptor, name: withUnit(metric.descriptor), unit: "" };
        return { ...metric, descriptor };
      }),
    })),
  };
}

const withUnit = ({ name, unit }: { readonly name: string; readonly unit: string }): string =>
  UNIT_WORDS[unit] === undefined ? name : `${name}.${UNIT_WORDS[unit]}`;

/** The name in `/metrics`, but for the suffixes of counters and histograms. */
export const prometheusName = (metric: { readonly name: string; readonly unit: string }): string =>
  withUnit(metric).replaceAll(".", "_");

/** What of a metric reader is needed. */
interface Collecting {
  collect(): Promise<{ readonly resourceMetrics: ResourceMetrics }>;
}

/** Collects what the reader's provider knows now. Rejects when the reader is shut down. */
export async function prometheusText(reader: Collecting, serializer: PrometheusSerializer): Promise<string> {
  const { resourceMetrics } = await reader.collect();
  const text = serializer.serialize(withUnitNames(resourceMetrics));
  // The format wants every line ended, the last one, too.
  return text.endsWith("\n") ? text : `${text}\n`;
}
