/** What a look at one place says: as at the good end, as at the bad end, or nothing. */
export type Look = "good" | "bad" | "skip";

export interface BisectFound {
  /** Places that may be the first bad one, in order; one when the search was conclusive. */
  readonly suspects: readonly number[];
  readonly looked: number;
}

/**
 * Finds the first bad of `count` places of which the last is bad, when the place before the first is good and goodness
 * never comes back. Places that say nothing are walked round, the nearest to the middle first, as `git bisect skip` does;
 * when nothing else is left between good and bad, all of them are suspects.
 */
export async function bisectSearch(count: number, look: (place: number) => Promise<Look>): Promise<BisectFound> {
  let good = -1;
  let bad = count - 1;
  let looked = 0;
  const skipped = new Set<number>();
  for (;;) {
    const middle = nearestOpen({ good, bad, skipped });
    if (middle === undefined) break;
    looked++;
    const seen = await look(middle);
    if (seen === "skip") skipped.add(middle);
    else if (seen === "good") good = middle;
    else bad = middle;
  }
  return { suspects: Array.from({ length: bad - good }, (_, n) => good + 1 + n), looked };
}

interface Window {
  readonly good: number;
  readonly bad: number;
  readonly skipped: ReadonlySet<number>;
}

function nearestOpen({ good, bad, skipped }: Window): number | undefined {
  const middle = Math.floor((good + bad) / 2);
  for (let away = 0; away < bad - good; away++) {
    const open = [middle - away, middle + away].find((it) => it > good && it < bad && !skipped.has(it));
    if (open !== undefined) return open;
  }
  return undefined;
}
