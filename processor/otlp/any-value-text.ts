import type { AnyValue, KeyValue } from "./model.ts";

/**
 * Text of an attribute value as the Collector stores it (`pcommon.Value.AsString()`): text as it is, `true`, decimal
 * integers, ECMAScript doubles, base64 bytes, arrays and maps as JSON with sorted keys.
 *
 * One deviation: the Collector stores `''` for a map or array that holds NaN or an infinity, because Go's JSON cannot
 * say them. Here they become JSON strings, so the rest of the value is not lost.
 */
export function textFromAnyValue(value: AnyValue): string {
  switch (value.type) {
    case "empty":
      return "";
    case "stringValue":
      return value.value;
    case "boolValue":
      return value.value ? "true" : "false";
    case "intValue":
      return value.value.toString();
    case "doubleValue":
      return Number.isFinite(value.value) ? doubleText(value.value) : `json: unsupported value: ${goName(value.value)}`;
    case "bytesValue":
      return base64(value.value);
    case "arrayValue":
    case "kvlistValue":
      return jsonFrom(value);
  }
}

/** Recursion is bounded: the decoders refuse values nested deeper than `MAX_ANY_VALUE_DEPTH`. */
function jsonFrom(value: AnyValue): string {
  switch (value.type) {
    case "empty":
      return "null";
    case "stringValue":
      return jsonString(value.value);
    case "doubleValue":
      return Number.isFinite(value.value) ? doubleText(value.value) : `"${goName(value.value)}"`;
    case "bytesValue":
      return `"${base64(value.value)}"`;
    case "arrayValue":
      return `[${value.value.map(jsonFrom).join(",")}]`;
    case "kvlistValue":
      return jsonObjectFrom(value.value);
    default:
      return textFromAnyValue(value);
  }
}

/** Of two equal keys the last wins, as in the Go map the Collector goes through. */
function jsonObjectFrom(members: readonly KeyValue[]): string {
  const byKey = new Map<string, AnyValue>();
  for (const { key, value } of members) byKey.set(key, value);
  const keys = [...byKey.keys()].sort();
  return `{${keys.map((key) => `${jsonString(key)}:${jsonFrom(byKey.get(key)!)}`).join(",")}}`;
}

/** Go's encoder also escapes the two line separators. */
function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** Go follows ECMAScript here except that it keeps the sign of zero. */
const doubleText = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

const goName = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
