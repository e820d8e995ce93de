/** A part of a list, and where to go on. */
export function pageOf<Item>(items: readonly Item[], { offset, limit }: { offset: number; limit: number }) {
  const end = offset + limit;
  return { total: items.length, offset, next_offset: end < items.length ? end : null, items: items.slice(offset, end) };
}
