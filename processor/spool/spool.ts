import { dirname, join } from "node:path";
import type { Component } from "../component.ts";
import type { AppendOutcome } from "./append-queue.ts";
import { type AppendCounts, type Appender, createAppender } from "./appender.ts";
import { createBatchLedger } from "./batch-ledger.ts";
import { type BatchSource, createBatchSource, type SpoolBatch } from "./batch-source.ts";
import { type Checkpoint, type CheckpointFile, createCheckpointFile } from "./checkpoint.ts";
import { lockDirectory } from "./directory-lock.ts";
import type { SpoolRecord } from "./frame.ts";
import type { QuarantinedTail } from "./quarantine.ts";
import { recoverSegments } from "./recovery.ts";
import type { Segment } from "./segment.ts";
import { createSegmentList, type SegmentList } from "./segment-list.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import { nodeSpoolFs, type SpoolFs } from "./spool-fs.ts";
import { createWaiters } from "./waiters.ts";

export interface SpoolOptions {
  /** Made when missing. One spool at a time; another one's `start()` throws `SpoolLockedError`. */
  readonly directory: string;
  /** A segment is closed before it grows over this, a larger record alone excepted. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Records not consumed; disk use may be one segment more. 5 % are for the priority lane only. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Records in memory that wait for the disk. 5 % are for the priority lane only. Default 128 MiB. */
  readonly maxPendingBytes?: number;
  /** Told once of each time the disk stops working, and of every damage. */
  readonly onError: (what: string, error: unknown) => void;
  readonly now: () => number;
  /** Default: the real file system. */
  readonly fs?: SpoolFs;
}

export interface SpoolStats extends Readonly<AppendCounts> {
  /** `false`: the disk does not work, every append fails. */
  readonly writable: boolean;
  /** On disk and not consumed. */
  readonly bytes: number;
  readonly segments: number;
  readonly pendingBytes: number;
  /** Exact to a second, never too low; `undefined` when all is consumed. */
  readonly oldestRecordAgeMillis: number | undefined;
  /** Damaged parts since the start. `records` is a lower bound. */
  readonly quarantined: { readonly tails: number; readonly bytes: number; readonly records: number };
  /** Last group: write and `fdatasync`. */
  readonly lastSyncMillis: number | undefined;
}

/** A write-ahead log between the receiver's answer and the store. */
export interface Spool extends Component {
  /**
   * `durable`: an `fdatasync` that covers the record has returned. `full`, `failed`: it was not taken; come back later.
   * After `failed` it may still be read, as any repetition may. The payload must not change before the answer. Rejects
   * with `RangeError` for what no record can hold, see `SpoolRecord`.
   */
  append(record: SpoolRecord): Promise<AppendOutcome>;
  /**
   * The next batch of about `maxBytes`, one record at least; `undefined` when there is none. Up to 16 batches may be
   * handed out at a time. Rejects when the disk cannot be read.
   */
  read(maxBytes: number): Promise<SpoolBatch | undefined>;
  /** The batch is stored elsewhere: it never comes again. In any order. Never rejects. */
  commit(batch: SpoolBatch): Promise<void>;
  /** The batch is not stored: `read` gives it again, whole and under the same name, before any new one. */
  release(batch: SpoolBatch): Promise<void>;
  /** `true` when `read` has a batch; `false` when the signal aborts or the spool shuts down. */
  waitForRecords(signal?: AbortSignal): Promise<boolean>;
  stats(): SpoolStats;
}

interface Running {
  readonly appender: Appender;
  readonly source: BatchSource;
  readonly stats: () => Pick<SpoolStats, "bytes" | "segments" | "oldestRecordAgeMillis">;
  readonly unlock: () => Promise<void>;
}

const MIB = 1024 * 1024;

export function createSpool(options: SpoolOptions): Spool {
  const { directory, fs = nodeSpoolFs, onError } = options;
  const waiters = createWaiters();
  const quarantined = { tails: 0, bytes: 0, records: 0 };
  let running: Running | undefined;
  let stopping: Promise<void> | undefined;

  const onQuarantine = (tail: QuarantinedTail): void => {
    quarantined.tails++;
    quarantined.bytes += tail.bytes;
    quarantined.records += tail.records;
  };

  async function open(unlock: () => Promise<void>): Promise<Running> {
    const checkpoints = createCheckpointFile(fs, join(directory, "checkpoint"));
    const checkpoint = await checkpoints.load().catch((error) => {
      onError("reading the checkpoint of the spool", error);
      return undefined;
    });
    try {
      const recovered = await recoverSegments({ fs, directory, checkpoint, onError, onQuarantine });
      const segments = createSegmentList();
      for (const segment of recovered) segments.add(segment);
      const parts = compose({ options, fs, segments, checkpoints, checkpoint, onQuarantine, wake: waiters.wake });
      await parts.appender.start();
      return { ...parts, unlock };
    } catch (error) {
      await checkpoints.close().catch(() => {});
      throw error;
    }
  }

  async function stop(): Promise<void> {
    const closing = running;
    waiters.close();
    if (closing === undefined) return;
    await closing.appender.stop();
    await closing.source.close().catch((error) => onError("closing the checkpoint of the spool", error));
    await closing.unlock();
  }

  return {
    async start() {
      await fs.makeDirectory(directory);
      // The first time its name is new. A parent that we may not read was there before, and so most likely was the spool.
      await fs.syncDirectory(dirname(directory)).catch(() => {});
      const unlock = await lockDirectory(fs, directory);
      try {
        running = await open(unlock);
      } catch (error) {
        await unlock();
        throw error;
      }
    },
    shutdown: () => (stopping ??= stop()),
    append: async (record) => (running === undefined ? "failed" : running.appender.append(record)),
    read: async (maxBytes) => (stopping === undefined ? running?.source.read(maxBytes) : undefined),
    commit: async (batch) => {
      await running?.source.commit(batch);
      waiters.wake(running?.source.isReadable() ?? false);
    },
    release: async (batch) => {
      await running?.source.release(batch);
      waiters.wake(running?.source.isReadable() ?? false);
    },
    waitForRecords: async (signal) => (running?.source.isReadable() && !stopping ? true : waiters.wait(signal)),
    stats: () => ({ ...IDLE, ...appendStats(running?.appender), ...running?.stats(), quarantined: { ...quarantined } }),
  };
}

interface Ingredients {
  readonly options: SpoolOptions;
  readonly fs: SpoolFs;
  readonly segments: SegmentList;
  readonly checkpoints: CheckpointFile;
  readonly checkpoint: Checkpoint | undefined;
  readonly onQuarantine: (tail: QuarantinedTail) => void;
  readonly wake: (readable: boolean) => void;
}

/** Everything around the recovered segments. */
function compose({ options, fs, segments, checkpoints, checkpoint, onQuarantine, wake }: Ingredients) {
  const { directory, segmentBytes = 64 * MIB, maxBytes = 4096 * MIB, maxPendingBytes = 128 * MIB, onError } = options;
  const ledger = createBatchLedger(boundedBy(segments.all, checkpoint));
  const source = createBatchSource({ fs, directory, segments, ledger, checkpoints, onError, onQuarantine });
  // Above everything a checkpoint may speak of, also when the segments are gone.
  let lastId = Math.max(checkpoint?.position.segment ?? 0, ...segments.all.map(({ id }) => id));
  const appender = createAppender({
    fs,
    directory,
    segmentBytes,
    maxBytes,
    maxPendingBytes,
    onError,
    writer: createSegmentWriter({ fs, directory, segments, segmentBytes }),
    nextId: () => ++lastId,
    backlogBytes: () => segments.bytesAfter(ledger.position),
    onProgress: () => {
      wake(source.isReadable());
      void source.retire();
    },
  });
  const stats = () => {
    const receivedAt = segments.receivedAtMillis(ledger.position);
    return {
      bytes: segments.bytesAfter(ledger.position),
      segments: segments.all.length,
      oldestRecordAgeMillis: receivedAt === undefined ? undefined : Math.max(0, options.now() - receivedAt),
    };
  };
  return { appender, source, stats };
}

/** The checkpoint without what is no longer there: a damage may have shortened the log behind it. */
function boundedBy(segments: readonly Segment[], checkpoint: Checkpoint | undefined): Checkpoint {
  if (checkpoint === undefined) return { position: { segment: segments[0]?.id ?? 0, offset: 0 }, batches: [] };
  const batches = checkpoint.batches.flatMap((batch) => {
    const length = segments.find(({ id }) => id === batch.segment)?.length ?? 0;
    return batch.start < length ? [{ ...batch, end: Math.min(batch.end, length) }] : [];
  });
  return { position: checkpoint.position, batches };
}

const IDLE = {
  writable: false,
  appended: 0,
  acknowledged: 0,
  failed: 0,
  full: 0,
  bytes: 0,
  segments: 0,
  pendingBytes: 0,
  oldestRecordAgeMillis: undefined,
  lastSyncMillis: undefined,
};

const appendStats = (appender: Appender | undefined) =>
  appender && {
    ...appender.counts,
    writable: appender.writable,
    pendingBytes: appender.pendingBytes,
    lastSyncMillis: appender.lastSyncMillis,
  };
