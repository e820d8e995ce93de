import { diag } from "@opentelemetry/api";
import type { Environment } from "../../instrumentation/environment.ts";
import type { SdkTrace } from "./sdk-packages.ts";

/** PURE: the variables of OpenTelemetry that an SDK's own packages leave to whoever sets them up. */

const text = (env: Environment, name: string): string | undefined => env[name]?.trim() || undefined;

function numberOf(env: Environment, name: string, isFit: (value: number) => boolean): number | undefined {
  const given = text(env, name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (isFit(value)) return value;
  diag.warn(`runproof: ${name}=${given} is not usable, the default holds`);
  return undefined;
}

const count = (env: Environment, name: string): number | undefined =>
  numberOf(env, name, (value) => Number.isSafeInteger(value) && value > 0);

export interface BatchSettings {
  readonly maxBatch: number;
  readonly maxQueue: number;
  readonly delayMillis: number;
}

/** `OTEL_BSP_*`. */
export const batchSettings = (env: Environment): BatchSettings => ({
  maxBatch: count(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE") ?? 512,
  maxQueue: count(env, "OTEL_BSP_MAX_QUEUE_SIZE") ?? 2_048,
  delayMillis: count(env, "OTEL_BSP_SCHEDULE_DELAY") ?? 5_000,
});

/** `OTEL_SPAN_*` and `OTEL_ATTRIBUTE_*` limits that are set. */
export function spanLimits(env: Environment): Record<string, number> {
  const limits = {
    attributeCountLimit: count(env, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT") ?? count(env, "OTEL_ATTRIBUTE_COUNT_LIMIT"),
    attributeValueLengthLimit:
      count(env, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") ?? count(env, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    eventCountLimit: count(env, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
    linkCountLimit: count(env, "OTEL_SPAN_LINK_COUNT_LIMIT"),
  };
  return Object.fromEntries(
    Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** `OTEL_TRACES_SAMPLER`. A run that is sampled out nevertheless goes out on the flush-now path. */
export function samplerFrom(env: Environment, sdk: SdkTrace): object | undefined {
  const name = text(env, "OTEL_TRACES_SAMPLER");
  if (name === undefined) return undefined;
  const isRatio = (value: number): boolean => value >= 0 && value <= 1;
  const ratio = (): object => new sdk.TraceIdRatioBasedSampler(numberOf(env, "OTEL_TRACES_SAMPLER_ARG", isRatio) ?? 1);
  const roots = new Map<string, () => object>([
    ["always_on", () => new sdk.AlwaysOnSampler()],
    ["always_off", () => new sdk.AlwaysOffSampler()],
    ["traceidratio", ratio],
  ]);
  const root = roots.get(name.replace(/^parentbased_/, ""));
  if (root === undefined) {
    diag.warn(`runproof: OTEL_TRACES_SAMPLER=${name} is not known, everything is sampled`);
    return undefined;
  }
  return name.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root: root() }) : root();
}

const JSON_EXPORTER = "@opentelemetry/exporter-trace-otlp-http";
export const PROTOBUF_EXPORTER = "@opentelemetry/exporter-trace-otlp-proto";

/** Packages that can export, the wanted one first (`OTEL_EXPORTER_OTLP_PROTOCOL`). Collectors take both encodings. */
export function exporterPackages(env: Environment): readonly string[] {
  const protocol = text(env, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? text(env, "OTEL_EXPORTER_OTLP_PROTOCOL");
  return protocol === "http/json" ? [JSON_EXPORTER, PROTOBUF_EXPORTER] : [PROTOBUF_EXPORTER, JSON_EXPORTER];
}

/** Longest wait for an export. Spans that are not taken by then lie in the crash spool, so little is gained by more. */
export const exportTimeoutMillis = (env: Environment): number =>
  Math.min(
    count(env, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT") ?? count(env, "OTEL_EXPORTER_OTLP_TIMEOUT") ?? MAX_EXPORT_MILLIS,
    MAX_EXPORT_MILLIS,
  );

const MAX_EXPORT_MILLIS = 1_500;
