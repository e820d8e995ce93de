import type { HistoryBucket, HistoryExtent, KeyRange } from "./history.ts";

/** A piece of history that is read and judged by itself. */
export interface Slice extends KeyRange {
  /** Record rows in it when the plan was made: for progress, and to know when it must be read in pages. */
  readonly rows: number;
}

/** So many times are counted; a slice is a number of them. */
const BUCKETS = 4_000n;

/** Length of a bucket over the extent, nanoseconds. */
export const bucketNanos = ({ first, last }: HistoryExtent): bigint => (BigInt(last) - BigInt(first)) / BUCKETS + 1n;

/**
 * Cuts the extent into slices of at most so many rows, oldest first; a bucket that holds more is a slice of its own. Pure.
 * They border on each other, so that a run whose record is corrected meanwhile is in one of them.
 */
export function planSlices(
  extent: HistoryExtent,
  buckets: readonly HistoryBucket[],
  { widthNanos, maxRows }: { readonly widthNanos: bigint; readonly maxRows: number },
): Slice[] {
  const startOf = (bucket: number): bigint => BigInt(extent.first) + BigInt(bucket) * widthNanos;
  const slices: Slice[] = [];
  let from = BigInt(extent.first);
  let rows = 0;
  const cut = (to: bigint): void => {
    if (rows > 0) slices.push({ from: keyAt(from), to: keyAt(to), rows });
    if (rows > 0) from = to;
    rows = 0;
  };
  for (const bucket of buckets) {
    if (rows + bucket.rows > maxRows) cut(startOf(bucket.bucket));
    rows += bucket.rows;
  }
  cut(BigInt(extent.last) + 1n);
  return slices;
}

const keyAt = (nanos: bigint) => ({ startedAt: String(nanos), project: "", runId: "" });
