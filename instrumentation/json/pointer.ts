import type { JsonValue } from "./json.ts";

/** The steps of a JSON pointer (RFC 6901): `/a~1b/0` is `["a/b", "0"]`; the empty pointer has none. */
export const pointerSteps = (pointer: string): string[] =>
  pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** One more step on a JSON pointer, escaped. */
export const childPointer = (pointer: string, step: string | number): string =>
  `${pointer}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** What a pointer finds in `value`, in document order; the step `*` stands for every index or key. */
export function valuesAt(value: JsonValue, pointer: string): JsonValue[] {
  let found: JsonValue[] = [value];
  for (const step of pointerSteps(pointer)) {
    found = found.flatMap((one) => {
      if (one === null || typeof one !== "object") return [];
      const members = one as Readonly<Record<string, JsonValue>>;
      if (step === "*") return Object.values(members);
      // Own members only: what a tool gave back may name `constructor`, and a list has a `length`.
      return Object.hasOwn(members, step) && !(Array.isArray(one) && step === "length") ? [members[step] ?? null] : [];
    });
  }
  return found;
}

/** A copy of `value` without what the pointers name; the step `*` stands for every index or key. */
export const cutPointers = (value: JsonValue, pointers: readonly string[]): JsonValue =>
  pointers.reduce<JsonValue>((rest, pointer) => cut(rest, pointerSteps(pointer)), value);

function cut(value: JsonValue, steps: readonly string[]): JsonValue {
  const [step, ...rest] = steps;
  if (step === undefined) return null;
  if (value === null || typeof value !== "object") return value;
  const hit = (key: string): boolean => step === "*" || step === key;
  if (Array.isArray(value)) {
    // An emptied slot keeps its place, so that the indices of its neighbours still compare.
    return (value as readonly JsonValue[]).map((item, index) => (hit(String(index)) ? cut(item, rest) : item));
  }
  const kept = Object.entries(value as Record<string, JsonValue>)
    .filter(([key]) => !(hit(key) && rest.length === 0))
    .map(([key, member]): [string, JsonValue] => [key, hit(key) ? cut(member, rest) : member]);
  return Object.fromEntries(kept);
}
