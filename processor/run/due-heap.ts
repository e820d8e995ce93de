/** Keys by the time they are due, the earliest first, of equal times the one that came first. A key may be in it more than once: the owner knows which counts. */
export interface DueHeap {
  readonly size: number;
  push(dueAt: number, key: string): void;
  /** When the earliest is due, `Infinity` when there is none. */
  next(): number;
  /** Takes the earliest out. */
  pop(): DueKey | undefined;
  clear(): void;
}

export interface DueKey {
  readonly dueAt: number;
  readonly key: string;
}

/** A binary heap: adding or taking one of a hundred thousand costs 17 steps, not a look at all. */
export function createDueHeap(): DueHeap {
  const items: (DueKey & { readonly order: number })[] = [];
  let pushed = 0;

  function isBefore(a: number, b: number): boolean {
    const first = items[a];
    const second = items[b];
    if (first === undefined || second === undefined) return first !== undefined;
    return first.dueAt < second.dueAt || (first.dueAt === second.dueAt && first.order < second.order);
  }

  function swap(a: number, b: number): void {
    [items[a], items[b]] = [items[b]!, items[a]!];
  }

  function rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }

  function sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const least = isBefore(left + 1, left) ? left + 1 : left;
      if (!isBefore(least, at)) return;
      swap(at, least);
      at = least;
    }
  }

  return {
    get size() {
      return items.length;
    },
    push(time, key) {
      items.push({ dueAt: time, key, order: pushed++ });
      rise(items.length - 1);
    },
    next: () => items[0]?.dueAt ?? Infinity,
    pop() {
      const [first] = items;
      const last = items.pop();
      if (last === undefined || items.length === 0) return last;
      items[0] = last;
      sink();
      return first;
    },
    clear: () => void items.splice(0),
  };
}
