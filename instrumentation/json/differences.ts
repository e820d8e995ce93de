import { isJsonObject, type JsonValue } from "./json.ts";
import { childPointer } from "./pointer.ts";

/** One place where two JSON values differ. A side is `undefined` where it has nothing. */
export interface JsonDifference {
  /** JSON pointer of the place. */
  readonly pointer: string;
  readonly expected: JsonValue | undefined;
  readonly actual: JsonValue | undefined;
}

/**
 * Where `actual` differs from `expected`, key order aside. With `subset`, object members that only `actual` has do not
 * count, at any depth; arrays always have to be of one length.
 */
export function jsonDifferences(
  expected: JsonValue | undefined,
  actual: JsonValue | undefined,
  mode: "exact" | "subset" = "exact",
): JsonDifference[] {
  const found: JsonDifference[] = [];
  collect(expected, actual, { mode, pointer: "", found });
  return found;
}

interface Walk {
  readonly mode: "exact" | "subset";
  readonly pointer: string;
  readonly found: JsonDifference[];
}

function collect(expected: JsonValue | undefined, actual: JsonValue | undefined, walk: Walk): void {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      collect(expected[i], actual[i], { ...walk, pointer: childPointer(walk.pointer, i) });
    }
  } else if (isJsonObject(expected) && isJsonObject(actual)) {
    const keys = new Set([...Object.keys(expected), ...(walk.mode === "exact" ? Object.keys(actual) : [])]);
    for (const key of keys) {
      collect(ownMember(expected, key), ownMember(actual, key), { ...walk, pointer: childPointer(walk.pointer, key) });
    }
  } else if (!Object.is(expected, actual) && !(expected === 0 && actual === 0)) {
    // -0 and 0 are one number in JSON.
    walk.found.push({ pointer: walk.pointer, expected, actual });
  }
}

const ownMember = (value: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined =>
  Object.hasOwn(value, key) ? value[key] : undefined;
