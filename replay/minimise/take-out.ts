import { reduced, type Reduction } from "./reduction.ts";
import type { Search } from "./search.ts";

export type RoundOutcome = "shrunk" | "unchanged" | "stopped";

/**
 * Takes out as many of the reductions as go, given that what was taken out before is gone: each chunk as a whole, and
 * only when that fails its halves (ddmin by binary splitting). All useless parts cost one replay, each needed one
 * about two times log2 of their number.
 *
 * Every candidate is made from the content at the start, so pointers stay true; the order is fixed, so the result does
 * not depend on how fast replays are.
 */
export async function takeOut(search: Search, chunks: readonly (readonly Reduction[])[]): Promise<RoundOutcome> {
  const base = search.best;
  const waiting = chunks.filter((chunk) => chunk.length > 0).toReversed();
  let taken: readonly Reduction[] = [];
  for (let chunk = waiting.pop(); chunk !== undefined; chunk = waiting.pop()) {
    const smaller = halves(chunk).toReversed();
    const before = taken;
    search.announce(
      base,
      [...waiting, ...smaller].toReversed().map((next) => [...before, ...next]),
    );
    const candidate = [...taken, ...chunk];
    const outcome = await search.attempt(reduced(base, candidate));
    if (outcome === "stopped") return "stopped";
    if (outcome === "accepted") taken = candidate;
    else waiting.push(...smaller);
  }
  return taken.length > 0 ? "shrunk" : "unchanged";
}

const halves = (chunk: readonly Reduction[]): (readonly Reduction[])[] => {
  if (chunk.length < 2) return [];
  const middle = Math.ceil(chunk.length / 2);
  return [chunk.slice(0, middle), chunk.slice(middle)];
};
