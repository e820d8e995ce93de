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

/** End of a span in nanoseconds since the epoch. */
export const endUnixNano = (span: SpanRow): bigint => BigInt(span.Timestamp) + BigInt(span.Duration);
