/** A value that survives `JSON.parse(JSON.stringify(x))`. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** Deeper documents are refused before anything recursive meets them. */
export const MAX_JSON_DEPTH = 128;

/**
 * Parses JSON from an untrusted source. Never throws: text that is not JSON, or nests deeper than `maxDepth`, gives
 * `undefined`. `__proto__` stays an ordinary own key, as `JSON.parse` leaves it.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): JsonValue | undefined {
  if (nestsDeeperThan(text, maxDepth)) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Counts brackets outside strings; stops at the first one too many, so hostile depth costs a few bytes of reading. */
export function nestsDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Turns whatever a tool was given or gave back into JSON, or `undefined` when it cannot be kept without guessing
 * (functions, cycles, too deep, maps and sets). Dates become ISO text and `undefined` members vanish, as
 * `JSON.stringify` does; a top-level `undefined` becomes `null`, because "returned nothing" is a result that a replay
 * must give again.
 */
export function toJson(value: unknown): JsonValue | undefined {
  if (value === undefined) return null;
  try {
    const text = JSON.stringify(value, refuseLossy);
    return text === undefined ? undefined : parseJson(text);
  } catch {
    return undefined;
  }
}

/** `JSON.stringify` writes these as `{}`: their content would be lost without a word. */
const LOSSY = [Map, Set, WeakMap, WeakSet, Promise, Error, RegExp, ArrayBuffer] as const;

function refuseLossy(_key: string, value: unknown): unknown {
  // Plain objects and lists are nearly all there is, and must cost nearly nothing.
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return value;
  // What has a `toJSON()` of its own was asked before and is something else by now.
  if (LOSSY.some((type) => value instanceof type)) throw new TypeError("JSON cannot hold it");
  return value;
}
