import type { BatchBounds, Checkpoint, LogPosition } from "./checkpoint.ts";

export interface Batch extends LogPosition {
  readonly end: number;
}

/** PURE: which parts of the log were handed out, given back and consumed. */
export interface BatchLedger {
  /** Everything before it is consumed. */
  readonly position: LogPosition;
  /** Where the next new batch begins. */
  readonly cursor: LogPosition;
  readonly hasWaiting: boolean;
  /** Batches handed out or given back; a checkpoint has room for `MAX_OPEN_BATCHES`. */
  readonly openBatches: number;
  /** Bytes of the batches handed out or given back. */
  readonly openBytes: number;
  /** Hands out the first batch that was given back or that the process before had not finished. */
  takeWaiting(): Batch | undefined;
  /** Hands out everything from the cursor to `end` in the segment. */
  takeNew(batch: Batch): void;
  /** The segment turned out to be readable only to `end`: the batch shrinks, or goes when nothing is left of it. */
  shorten(batch: Batch, end: number): void;
  giveBack(batch: Batch): void;
  /** `false` when the batch is not handed out. */
  finish(batch: Batch): boolean;
  /** Moves the cursor over a part of the log in which nothing follows. */
  skipTo(position: LogPosition): void;
  checkpoint(): Checkpoint;
}

export const MAX_OPEN_BATCHES = 16;

interface Entry {
  readonly segment: number;
  readonly offset: number;
  end: number;
  state: "waiting" | "held" | "done";
}

export function createBatchLedger(restored: Checkpoint): BatchLedger {
  const entries: Entry[] = restored.batches.map(entryFromBounds);
  const last = entries.at(-1);
  let cursor: LogPosition = last === undefined ? restored.position : { segment: last.segment, offset: last.end };
  const position = (): LogPosition => {
    const [first] = entries;
    return first === undefined ? cursor : { segment: first.segment, offset: first.offset };
  };
  const find = (batch: Batch, state: Entry["state"]): Entry | undefined =>
    entries.find((entry) => entry.segment === batch.segment && entry.offset === batch.offset && entry.state === state);
  const dropDone = (): void => {
    while (entries[0]?.state === "done") entries.shift();
  };
  dropDone();

  return {
    get position() {
      return position();
    },
    get cursor() {
      return cursor;
    },
    get hasWaiting() {
      return entries.some((entry) => entry.state === "waiting");
    },
    get openBatches() {
      return entries.length;
    },
    get openBytes() {
      return entries.reduce((sum, { state, offset, end }) => sum + (state === "done" ? 0 : end - offset), 0);
    },
    takeWaiting() {
      const entry = entries.find(({ state }) => state === "waiting");
      if (entry === undefined) return undefined;
      entry.state = "held";
      return { segment: entry.segment, offset: entry.offset, end: entry.end };
    },
    takeNew(batch) {
      entries.push({ ...batch, state: "held" });
      cursor = { segment: batch.segment, offset: batch.end };
    },
    shorten(batch, end) {
      const entry = find(batch, "held");
      if (entry === undefined) return;
      entry.end = end;
      if (end > entry.offset) return;
      entry.state = "done";
      dropDone();
    },
    giveBack(batch) {
      const entry = find(batch, "held");
      if (entry !== undefined) entry.state = "waiting";
    },
    finish(batch) {
      const entry = find(batch, "held");
      if (entry === undefined) return false;
      entry.state = "done";
      dropDone();
      return true;
    },
    skipTo(next) {
      cursor = next;
    },
    checkpoint: () => ({ position: position(), batches: entries.map(boundsFromEntry) }),
  };
}

const entryFromBounds = ({ segment, start, end, done }: BatchBounds): Entry => ({
  segment,
  offset: start,
  end,
  state: done ? "done" : "waiting",
});

const boundsFromEntry = ({ segment, offset, end, state }: Entry): BatchBounds => ({
  segment,
  start: offset,
  end,
  done: state === "done",
});
