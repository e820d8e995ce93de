import type { History, HistoryRun, HistoryScope, KeyRange } from "./history.ts";
import type { Slice } from "./plan-slices.ts";

/** How much is in hand at a time. */
export interface SliceLimits {
  /** Record rows of a page. */
  readonly maxRows: number;
  /** Spans of a portion by what the records say, and bytes of its answer. */
  readonly maxSpans: number;
  readonly maxBytes: number;
  /** Findings of a portion that are handed on, the newest; the tally counts all. */
  readonly maxFindings: number;
}

/**
 * A row of a page takes 300 bytes, and each page costs the store a look at the ids of all runs (0.4 s of a core over 1.2
 * million). A thousand spans take about a megabyte as they come, and three when they are read.
 */
export const DEFAULT_LIMITS: SliceLimits = {
  maxRows: 25_000,
  maxSpans: 10_000,
  maxBytes: 24 * 1024 * 1024,
  maxFindings: Infinity,
};

interface Paging {
  readonly history: Pick<History, "keyAfter">;
  readonly scope: HistoryScope;
  readonly limits: SliceLimits;
}

/** Ranges of a slice that hold about as many rows as a page may. */
export async function* pagesOf(slice: Slice, { history, scope, limits }: Paging): AsyncGenerator<KeyRange> {
  let { from } = slice;
  let size = limits.maxRows;
  for (let left = slice.rows; left > limits.maxRows;) {
    const next = await history.keyAfter(scope, { from, to: slice.to }, size);
    if (next === undefined) break;
    const { startedAt, project, runId } = next;
    if (startedAt === from.startedAt && project === from.project && runId === from.runId) {
      // One run with more versions than a page has room for.
      size *= 2;
      continue;
    }
    yield { from, to: next };
    left -= size;
    size = limits.maxRows;
    from = next;
  }
  yield { from, to: slice.to };
}

/** Runs that are read and judged at once. */
export interface Portion {
  readonly range: KeyRange;
  readonly runs: readonly HistoryRun[];
}

/** Neighbours, so that a range of keys names them. */
export function* portionsOf(
  runs: readonly HistoryRun[],
  { from, to }: KeyRange,
  { maxSpans }: SliceLimits,
): Generator<Portion> {
  let portion: HistoryRun[] = [];
  let start = from;
  let spans = 0;
  for (const run of runs) {
    if (portion.length > 0 && spans + run.factCount > maxSpans) {
      yield { runs: portion, range: { from: start, to: run } };
      portion = [];
      start = run;
      spans = 0;
    }
    portion.push(run);
    spans += run.factCount;
  }
  if (portion.length > 0) yield { runs: portion, range: { from: start, to } };
}
