/** The values of a label that comes from data, so that nobody can make as many time series as he likes. */
export type BoundedLabel = (value: string) => string;

/** The first `limit` values keep their name, all others are `other`. Default 100. */
export function createBoundedLabel(limit = 100): BoundedLabel {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit) return "other";
    known.add(value);
    return value;
  };
}
