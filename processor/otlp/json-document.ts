import { OtlpDecodeError } from "./decode-error.ts";
import { type JsonObject, objectFrom } from "./json-fields.ts";
import { scanJson } from "./json-scan.ts";

const INTEGER = /^-?\d+$/;

/** Parses a body as one JSON object. Broken UTF-8 becomes U+FFFD, a byte order mark is dropped. @throws OtlpDecodeError */
export function parseJsonDocument(bytes: Uint8Array): JsonObject {
  const { hasLongIntegers } = scanJson(bytes);
  const text = new TextDecoder().decode(bytes);
  let document: unknown;
  try {
    // The reviver costs several times the parse, so only bodies with a suspicious number pay for it.
    document = hasLongIntegers ? JSON.parse(text, keepLongIntegers) : JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new OtlpDecodeError("malformed", `the body is not JSON: ${detail}`, { cause });
  }
  return objectFrom(document, "the body");
}

/** Keeps an integer that a double cannot hold as its digits. */
function keepLongIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? source : value;
}
