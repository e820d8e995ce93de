import { listFixtures, type FixtureListing } from "../fixture/fixture-store.ts";
import { isInShard, type Shard } from "./shard.ts";

export interface SuiteSelection {
  /** Text in the id, or a pattern of the whole id with `*`. Default: all. */
  readonly filter?: string | undefined;
  readonly shard?: Shard | undefined;
}

export interface SelectedFixtures {
  /** By id. */
  readonly listings: readonly FixtureListing[];
  /** Of how many in the folder. */
  readonly total: number;
}

/** The fixtures under `root` that a suite replays: filter first, then the shard. */
export async function selectFixtures(root: string, { filter, shard }: SuiteSelection): Promise<SelectedFixtures> {
  const all = await listFixtures(root);
  const listings = all.filter(
    ({ id }) => (filter === undefined || matchesFilter(id, filter)) && (shard === undefined || isInShard(id, shard)),
  );
  return { listings, total: all.length };
}

/** Walks both texts once per star; never backtracks further, whatever the pattern. */
export function matchesFilter(id: string, filter: string): boolean {
  if (!filter.includes("*")) return id.includes(filter);
  const parts = filter.split("*");
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  if (!id.startsWith(first) || !id.endsWith(last) || id.length < first.length + last.length) return false;
  let at = first.length;
  const end = id.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = id.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
