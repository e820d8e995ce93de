import { parseJson, type JsonValue } from "../../instrumentation/json/json.ts";
import type { SpanRow } from "../clickhouse/rows.ts";

/** An attribute's text, or `''`. Own keys only: attribute names come from anybody. */
export const attribute = (span: SpanRow, name: string): string =>
  Object.hasOwn(span.SpanAttributes, name) ? (span.SpanAttributes[name] ?? "") : "";

/** An attribute that holds JSON text, parsed; `undefined` when it is absent or not JSON. */
export function jsonAttribute(span: SpanRow, name: string): JsonValue | undefined {
  const text = attribute(span, name);
  return text === "" ? undefined : parseJson(text);
}

export const resourceAttribute = (span: SpanRow, name: string): string =>
  Object.hasOwn(span.ResourceAttributes, name) ? (span.ResourceAttributes[name] ?? "") : "";

/** The last time the store can hold (`DateTime64(9)`). */
const MAX_UNIX_NANO = 9_223_372_036_854_775_807n;

/** End of a span in nanoseconds since the epoch, cut to what can be stored: a duration is anybody's word. */
export function endUnixNano(span: SpanRow): bigint {
  const end = BigInt(span.Timestamp) + BigInt(span.Duration);
  return end > MAX_UNIX_NANO ? MAX_UNIX_NANO : end;
}
