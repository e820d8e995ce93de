import { SPAN_KINDS, STATUS_CODES, type AttributeMap, type SpanRow } from "./clickhouse/rows.ts";
import type { HrTime, SdkSpan } from "./sdk-span.ts";

/**
 * A span inside the agent in the form the store would give it back, so that one function reads both. Events, links,
 * trace state and structured attributes are left out: no evidence is read from them. Total on any attribute value.
 */
export function spanRowFromSdkSpan(span: SdkSpan): SpanRow {
  const { traceId, spanId } = span.spanContext();
  return {
    Timestamp: String(nanos(span.startTime)),
    TraceId: traceId,
    SpanId: spanId,
    ParentSpanId: span.parentSpanContext?.spanId ?? "",
    TraceState: "",
    SpanName: span.name,
    SpanKind: SPAN_KINDS[span.kind + 1] ?? "Unspecified",
    ServiceName: textOf(span.resource.attributes["service.name"]) ?? "",
    ResourceAttributes: resourceAttributes(span.resource),
    ScopeName: span.instrumentationScope.name,
    ScopeVersion: span.instrumentationScope.version ?? "",
    SpanAttributes: textAttributes(span.attributes),
    Duration: String(nanos(span.duration)),
    StatusCode: STATUS_CODES[span.status.code] ?? "Unset",
    StatusMessage: span.status.message ?? "",
    "Events.Timestamp": [],
    "Events.Name": [],
    "Events.Attributes": [],
    "Links.TraceId": [],
    "Links.SpanId": [],
    "Links.TraceState": [],
    "Links.Attributes": [],
  };
}

const nanos = ([seconds, nanoseconds]: HrTime): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(Math.round(nanoseconds));

/**
 * Our attributes are text, numbers and booleans. SDK 3.x also lets objects of others through, circular ones included;
 * turning those into text could throw and would hold memory for nothing. A plain loop: this is done for every call.
 */
function textAttributes(attributes: Readonly<Record<string, unknown>>): AttributeMap {
  const texts: Record<string, string> = {};
  for (const name in attributes) {
    const text = textOf(attributes[name]);
    // A name of the prototype would be set on that.
    if (text !== undefined && name !== "__proto__") texts[name] = text;
  }
  return texts;
}

/** One resource stands behind all spans of a provider. */
const resourceTexts = new WeakMap<object, AttributeMap>();

function resourceAttributes({ attributes }: SdkSpan["resource"]): AttributeMap {
  const known = resourceTexts.get(attributes);
  if (known !== undefined) return known;
  const texts = textAttributes(attributes);
  resourceTexts.set(attributes, texts);
  return texts;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
