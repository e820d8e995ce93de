import { cleanText } from "./clean-text.ts";

/** How much of a value is told. */
export interface Bounds {
  /** Characters of one text. */
  readonly maxText: number;
  /** Items of a list, fields of an object. */
  readonly maxItems: number;
  readonly maxDepth: number;
  /** Characters of all texts and names together. */
  readonly maxTotal: number;
}

export const DEFAULT_BOUNDS: Bounds = { maxText: 2_000, maxItems: 200, maxDepth: 16, maxTotal: 40_000 };

export interface Cleaned {
  readonly value: unknown;
  /** How many values are not whole; each says so where it stands. */
  readonly cut: number;
}

const MAX_NAME = 200;

/** A copy of a JSON value that a model may be shown: texts and names cleaned, everything bounded, each cut marked. */
export function cleanValue(value: unknown, bounds: Bounds = DEFAULT_BOUNDS): Cleaned {
  let left = bounds.maxTotal;
  let cut = 0;

  function marked(marker: string): string {
    cut++;
    return marker;
  }

  function text(raw: string, max: number): string {
    // Before cleaning: a text may be many megabytes.
    const cleaned = cleanText(raw.slice(0, max + 1));
    const room = Math.min(max, Math.max(0, left));
    left -= Math.min(cleaned.length, room);
    if (raw.length <= max && cleaned.length <= room) return cleaned;
    const kept = cleaned.slice(0, room).toWellFormed();
    return marked(`${kept}[cut: ${raw.length - kept.length} of ${raw.length} characters]`);
  }

  function object(source: object, depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    const names = Object.keys(source);
    for (const name of names) {
      if (entries.length >= bounds.maxItems || left <= 0) {
        entries.push(["[cut]", marked(`${names.length - entries.length} of ${names.length} fields`)]);
        break;
      }
      entries.push([text(name, MAX_NAME), walk((source as Record<string, unknown>)[name], depth + 1)]);
    }
    // Makes own fields of all names, also of `__proto__`.
    return Object.fromEntries(entries);
  }

  function list(source: readonly unknown[], depth: number): unknown[] {
    const items: unknown[] = [];
    for (const item of source) {
      if (items.length >= bounds.maxItems || left <= 0) {
        items.push(marked(`[cut: ${source.length - items.length} of ${source.length} items]`));
        break;
      }
      items.push(walk(item, depth + 1));
    }
    return items;
  }

  function walk(at: unknown, depth: number): unknown {
    if (typeof at === "string") return text(at, bounds.maxText);
    if (typeof at === "number" || typeof at === "boolean") {
      left -= 8;
      return at;
    }
    if (typeof at !== "object" || at === null) return null;
    if (depth >= bounds.maxDepth) return marked("[cut: too deep]");
    return Array.isArray(at) ? list(at, depth) : object(at, depth);
  }

  return { value: walk(value, 0), cut };
}
