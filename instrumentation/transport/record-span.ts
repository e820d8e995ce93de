import { createHash } from "node:crypto";
import { INSTRUMENTATION_SCOPE } from "../semconv.ts";

export type RecordAttribute = string | number | boolean;
export type RecordAttributes = Readonly<Record<string, RecordAttribute>>;

/** A fact about a run as a span (without a duration unless it says so), sent at once instead of when the SDK exports. */
export interface RecordSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits; the same fact sent twice has the same id. */
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** Decimal text, nanoseconds since the epoch. */
  readonly timeUnixNano: string;
  /** Default: `timeUnixNano`. */
  readonly endUnixNano?: string;
  readonly attributes: RecordAttributes;
  /** Error class; makes the span's status `Error`. */
  readonly errorClass?: string;
}

export interface RecordResource {
  readonly attributes: RecordAttributes;
  /** Version of this library. */
  readonly scopeVersion?: string;
}

const SPAN_KIND_INTERNAL = 1;
const STATUS_ERROR = 2;

/** Body of an OTLP/HTTP JSON export (`ExportTraceServiceRequest`). */
export function encodeRecords(resource: RecordResource, spans: readonly RecordSpan[]): string {
  const scope = { name: INSTRUMENTATION_SCOPE, version: resource.scopeVersion ?? "" };
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource.attributes) },
        scopeSpans: [{ scope, spans: spans.map(otlpSpan) }],
      },
    ],
  });
}

const otlpSpan = (span: RecordSpan): object => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId ?? "",
  name: span.name,
  kind: SPAN_KIND_INTERNAL,
  startTimeUnixNano: span.timeUnixNano,
  endTimeUnixNano: span.endUnixNano ?? span.timeUnixNano,
  attributes: keyValues(span.attributes),
  status: span.errorClass === undefined ? {} : { code: STATUS_ERROR, message: span.errorClass },
});

/** Attributes as OTLP/JSON has them. */
export const keyValues = (attributes: RecordAttributes): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: RecordAttribute): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Number.isSafeInteger(value)) return { intValue: String(value) };
  // The proto mapping of JSON spells what JSON has no number for.
  return { doubleValue: Number.isFinite(value) ? value : String(value) };
}

/** A span id made from what the record says, so that whoever reports the same fact again reports the same span. */
export const derivedSpanId = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);

export const unixNanoFromMillis = (millis: number): string => (BigInt(Math.round(millis * 1_000)) * 1_000n).toString();
