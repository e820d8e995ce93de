import type { HeaderList } from "./request-json.ts";

/**
 * Headers in any of the forms undici takes and gives: a flat list of names and values, pairs, an object, anything that
 * iterates over pairs. Values may be lists and anything may be bytes. Names are left as they are.
 */
export function headerPairs(headers: unknown): [string, string][] {
  if (headers === null || typeof headers !== "object") return [];
  if (Array.isArray(headers)) return Array.isArray(headers[0]) ? pairsOf(headers) : pairsOf(paired(headers));
  if (Symbol.iterator in headers) return pairsOf([...(headers as Iterable<unknown>)]);
  return pairsOf(Object.entries(headers));
}

const paired = (flat: readonly unknown[]): unknown[][] =>
  Array.from({ length: Math.floor(flat.length / 2) }, (_, index) => [flat[index * 2], flat[index * 2 + 1]]);

function pairsOf(pairs: readonly unknown[]): [string, string][] {
  return pairs.flatMap((pair) => {
    const [name, value] = Array.isArray(pair) ? (pair as unknown[]) : [];
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return values
      .filter((it) => it !== undefined && it !== null)
      .map((it): [string, string] => [textOf(name), textOf(it)]);
  });
}

/** Header bytes are Latin-1. */
const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);

export const lowerCased = (headers: HeaderList): HeaderList =>
  headers.map(([name, value]) => [name.toLowerCase(), value] as const);

export const rawHeaders = (headers: HeaderList): Buffer[] =>
  headers.flatMap(([name, value]) => [Buffer.from(name, "latin1"), Buffer.from(value, "latin1")]);

/** As undici gives them: names in lower case, a list where a name came several times. */
export function headerObject(headers: HeaderList): Record<string, string | string[]> {
  const lower = lowerCased(headers);
  const names = [...new Set(lower.map(([name]) => name))];
  return Object.fromEntries(
    names.map((name) => {
      const values = lower.filter(([one]) => one === name).map(([, value]) => value);
      return [name, values.length > 1 ? values : (values[0] ?? "")];
    }),
  );
}
