import { join } from "node:path";
import { type BatchLedger, createBatchLedger } from "./batch-ledger.ts";
import { type BatchSource, createBatchSource, isBehind, type SpoolBatch } from "./batch-source.ts";
import { type Checkpoint, type CheckpointFile, createCheckpointFile } from "./checkpoint.ts";
import type { QuarantinedTail } from "./quarantine.ts";
import type { Segment } from "./segment.ts";
import type { SegmentList } from "./segment-list.ts";
import type { SpoolFs } from "./spool-fs.ts";
import { createTurns } from "./turns.ts";
import type { Waiters } from "./waiters.ts";

export interface SpoolReaderStats {
  /** On disk and not committed by this reader. */
  readonly bytes: number;
  /** The part of it that `read` did not hand out yet. */
  readonly unreadBytes: number;
  /** Of what is not committed; exact to a second. `undefined` when there is nothing. */
  readonly oldestRecordAgeMillis: number | undefined;
}

/**
 * Reads the whole log a second time, at a pace and with a checkpoint of its own. The obligations are those of `Spool`'s
 * methods. What it has not committed stays on disk and does not count for the spool's `maxBytes`: whoever reads must keep
 * up or give up what is too much.
 */
export interface SpoolReader {
  read(maxBytes: number): Promise<SpoolBatch | undefined>;
  commit(batch: SpoolBatch): Promise<void>;
  release(batch: SpoolBatch): Promise<void>;
  waitForRecords(signal?: AbortSignal): Promise<boolean>;
  stats(): SpoolReaderStats;
}

/** A place in the log that is kept over restarts; of several, the first belongs to the consumer. */
export interface LogCursor {
  readonly checkpoints: CheckpointFile;
  readonly checkpoint: Checkpoint | undefined;
}

const READER_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** @throws RangeError for a name that is no plain file name */
export function checkpointPath(directory: string, reader?: string): string {
  if (reader === undefined) return join(directory, "checkpoint");
  if (!READER_NAME.test(reader)) throw new RangeError(`A spool reader cannot be called ${JSON.stringify(reader)}.`);
  return join(directory, `checkpoint-${reader}`);
}

/** Opens a checkpoint; one that cannot be read costs repetitions, not the start. */
export async function openCursor(
  fs: SpoolFs,
  path: string,
  onError: (what: string, error: unknown) => void,
): Promise<LogCursor> {
  const checkpoints = createCheckpointFile(fs, path);
  const checkpoint = await checkpoints.load().catch((error: unknown) => {
    onError("reading the checkpoint of the spool", error);
    return undefined;
  });
  return { checkpoints, checkpoint };
}

export interface LogReaderOptions {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly segments: SegmentList;
  readonly onError: (what: string, error: unknown) => void;
  readonly onQuarantine: (tail: QuarantinedTail) => void;
}

/** Ways to read one log. */
export interface LogReader {
  readonly ledger: BatchLedger;
  readonly source: BatchSource;
}

/** One reader for each cursor. A segment goes when all have passed it; the first alone cuts off damages. */
export function createLogReaders(options: LogReaderOptions, cursors: readonly LogCursor[]): LogReader[] {
  const { segments } = options;
  const ledgers = cursors.map(({ checkpoint }) => createBatchLedger(boundedBy(segments.all, checkpoint)));
  const isNeeded = (segment: Segment): boolean => ledgers.some(({ position }) => !isBehind(segment, position));
  const { inTurn: retireInTurn } = createTurns();
  return cursors.map(({ checkpoints }, index) => {
    const ledger = ledgers[index]!;
    const shared = { isNeeded, retireInTurn, cutsDamage: index === 0 };
    return { ledger, source: createBatchSource({ ...options, ledger, checkpoints, shared }) };
  });
}

export const readerStats = ({ ledger }: LogReader, segments: SegmentList, now: () => number): SpoolReaderStats => {
  const unreadBytes = segments.bytesAfter(ledger.cursor);
  const receivedAt = segments.receivedAtMillis(ledger.position);
  return {
    bytes: unreadBytes + ledger.openBytes,
    unreadBytes,
    oldestRecordAgeMillis: receivedAt === undefined ? undefined : Math.max(0, now() - receivedAt),
  };
};

/** The methods of a reader that comes and goes; `undefined` while the spool does not run. */
export const readerMethods = (running: () => LogReader | undefined, waiters: Waiters) => ({
  read: async (maxBytes: number): Promise<SpoolBatch | undefined> =>
    waiters.closed ? undefined : running()?.source.read(maxBytes),
  async commit(batch: SpoolBatch): Promise<void> {
    await running()?.source.commit(batch);
    waiters.wake(running()?.source.isReadable() ?? false);
  },
  async release(batch: SpoolBatch): Promise<void> {
    await running()?.source.release(batch);
    waiters.wake(running()?.source.isReadable() ?? false);
  },
  waitForRecords: async (signal?: AbortSignal): Promise<boolean> =>
    !waiters.closed && running()?.source.isReadable() === true ? true : waiters.wait(signal),
});

/** The checkpoint without what is no longer there: a damage may have shortened the log behind it. */
function boundedBy(segments: readonly Segment[], checkpoint: Checkpoint | undefined): Checkpoint {
  if (checkpoint === undefined) return { position: { segment: segments[0]?.id ?? 0, offset: 0 }, batches: [] };
  const batches = checkpoint.batches.flatMap((batch) => {
    const length = segments.find(({ id }) => id === batch.segment)?.length ?? 0;
    return batch.start < length ? [{ ...batch, end: Math.min(batch.end, length) }] : [];
  });
  return { position: checkpoint.position, batches };
}
