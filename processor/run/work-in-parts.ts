export interface WorkedInParts<Item> {
  readonly failed: readonly { readonly item: Item; readonly error: unknown }[];
  /** Not worked on, because too much before them failed: the trouble is not theirs. */
  readonly untried: readonly Item[];
}

/** So many single failures in a row mean that the store is away, and not that these items are bad. */
const FAILURES_IN_A_ROW = 3;

/** Works on all at once; when that fails, on ever smaller parts, so that a bad item does not keep the others from their turn. */
export async function workInParts<Item>(
  items: readonly Item[],
  work: (part: readonly Item[]) => Promise<void>,
): Promise<WorkedInParts<Item>> {
  const failed: { item: Item; error: unknown }[] = [];
  const untried: Item[] = [];
  let inARow = 0;

  async function attempt(part: readonly Item[]): Promise<void> {
    if (inARow >= FAILURES_IN_A_ROW) return void untried.push(...part);
    try {
      await work(part);
      inARow = 0;
    } catch (error) {
      const [only] = part;
      if (part.length === 1 && only !== undefined) {
        failed.push({ item: only, error });
        inARow++;
        return;
      }
      const middle = part.length >> 1;
      await attempt(part.slice(0, middle));
      await attempt(part.slice(middle));
    }
  }

  if (items.length > 0) await attempt(items);
  return { failed, untried };
}
