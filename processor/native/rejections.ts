/** Records that were refused for one reason. A retry would not help them. */
export interface Rejected {
  readonly reason: string;
  readonly count: number;
}

/** Adds up refused records of one request, in the order in which reasons come up. */
export class Rejections {
  readonly #counts = new Map<string, number>();

  add(rejections: ReadonlyMap<string, number>): void {
    for (const [reason, count] of rejections) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
  }

  list(): Rejected[] {
    return [...this.#counts].map(([reason, count]) => ({ reason, count }));
  }
}

export function rejectedFrom(counts: ReadonlyMap<string, number>): Rejected[] {
  const rejections = new Rejections();
  rejections.add(counts);
  return rejections.list();
}
