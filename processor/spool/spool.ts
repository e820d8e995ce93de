import { dirname } from "node:path";
import type { Component } from "../component.ts";
import type { AppendOutcome } from "./append-queue.ts";
import { type AppendCounts, type Appender, createAppender } from "./appender.ts";
import type { SpoolBatch } from "./batch-source.ts";
import { lockDirectory } from "./directory-lock.ts";
import type { SpoolRecord } from "./frame.ts";
import { checkpointPath, createLogReaders, type LogCursor, type LogReader, openCursor } from "./log-reader.ts";
import { readerMethods, readerStats, type SpoolReader } from "./log-reader.ts";
import type { QuarantinedTail } from "./quarantine.ts";
import { recoverSegments } from "./recovery.ts";
import { createSegmentList, type SegmentList } from "./segment-list.ts";
import { createSegmentWriter } from "./segment-writer.ts";
import { nodeSpoolFs, type SpoolFs } from "./spool-fs.ts";
import { createWaiters, type Waiters } from "./waiters.ts";

export interface SpoolOptions {
  /** Made when missing. One spool at a time; another one's `start()` throws `SpoolLockedError`. */
  readonly directory: string;
  /** A segment is closed before it grows over this, a larger record alone excepted. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Records not consumed; disk use may be one segment more. 5 % are for the priority lane only. Default 4 GiB. */
  readonly maxBytes?: number;
  /** Records in memory that wait for the disk. 5 % are for the priority lane only. Default 128 MiB. */
  readonly maxPendingBytes?: number;
  /** Names of readers beside the consumer; each is held to what it has read, also over restarts. Default: none. */
  readonly readers?: readonly string[];
  /** Told once of each time the disk stops working, and of every damage. */
  readonly onError: (what: string, error: unknown) => void;
  readonly now: () => number;
  /** Default: the real file system. */
  readonly fs?: SpoolFs;
}

export interface SpoolStats extends Readonly<AppendCounts> {
  /** `false`: the disk does not work, every append fails. */
  readonly writable: boolean;
  /** On disk and not consumed: neither read nor, when it was read, committed. */
  readonly bytes: number;
  /** Of these, what `read` has not handed out. */
  readonly unreadBytes: number;
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
  /** One of the `readers`, valid for the spool's whole life. @throws RangeError for another name */
  reader(name: string): SpoolReader;
  stats(): SpoolStats;
}

interface Running {
  readonly appender: Appender;
  /** The consumer, then the other readers. */
  readonly readers: readonly LogReader[];
  readonly segments: SegmentList;
  readonly unlock: () => Promise<void>;
}

const MIB = 1024 * 1024;

export function createSpool(options: SpoolOptions): Spool {
  const { directory, fs = nodeSpoolFs, onError, readers: names = [] } = options;
  // The consumer has no name.
  const wake = [undefined, ...names].map((name) => ({ name, waiters: createWaiters() }));
  const quarantined = { tails: 0, bytes: 0, records: 0 };
  let running: Running | undefined;
  let stopping: Promise<void> | undefined;

  const onQuarantine = (tail: QuarantinedTail): void => {
    quarantined.tails++;
    quarantined.bytes += tail.bytes;
    quarantined.records += tail.records;
  };

  async function open(unlock: () => Promise<void>): Promise<Running> {
    const cursors: LogCursor[] = [];
    try {
      for (const { name } of wake) cursors.push(await openCursor(fs, checkpointPath(directory, name), onError));
      const [checkpoint, ...others] = cursors.map((cursor) => cursor.checkpoint);
      // A reader that is new, or lost its checkpoint, reads all that is there.
      const firstNeeded = Math.min(...others.map((other) => other?.position.segment ?? 0));
      const recovered = await recoverSegments({ fs, directory, checkpoint, firstNeeded, onError, onQuarantine });
      const segments = createSegmentList();
      for (const segment of recovered) segments.add(segment);
      const waiters = wake.map((entry) => entry.waiters);
      const parts = compose({ options, fs, segments, cursors, onQuarantine, waiters });
      await parts.appender.start();
      return { ...parts, segments, unlock };
    } catch (error) {
      for (const { checkpoints } of cursors) await checkpoints.close().catch(() => {});
      throw error;
    }
  }

  async function stop(): Promise<void> {
    const closing = running;
    for (const { waiters } of wake) waiters.close();
    if (closing === undefined) return;
    await closing.appender.stop();
    for (const { source } of closing.readers) {
      await source.close().catch((error) => onError("closing the checkpoint of the spool", error));
    }
    await closing.unlock();
  }

  const methodsOf = (index: number) => readerMethods(() => running?.readers[index], wake[index]!.waiters);
  const statsOf = (index: number) =>
    running === undefined ? IDLE_READER : readerStats(running.readers[index]!, running.segments, options.now);
  const readers = new Map(
    names.map((name, at): [string, SpoolReader] => [name, { ...methodsOf(at + 1), stats: () => statsOf(at + 1) }]),
  );

  return {
    ...methodsOf(0),
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
    reader(name) {
      const reader = readers.get(name);
      if (reader === undefined) throw new RangeError(`The spool has no reader called ${JSON.stringify(name)}.`);
      return reader;
    },
    stats() {
      const log = { ...statsOf(0), segments: running?.segments.all.length ?? 0 };
      return { ...IDLE, ...appendStats(running?.appender), ...log, quarantined: { ...quarantined } };
    },
  };
}

interface Ingredients {
  readonly options: SpoolOptions;
  readonly fs: SpoolFs;
  readonly segments: SegmentList;
  /** Of the consumer, then of the other readers; `waiters` likewise. */
  readonly cursors: readonly LogCursor[];
  readonly waiters: readonly Waiters[];
  readonly onQuarantine: (tail: QuarantinedTail) => void;
}

/** Everything around the recovered segments. */
function compose({ options, fs, segments, cursors, waiters, onQuarantine }: Ingredients) {
  const { directory, segmentBytes = 64 * MIB, maxBytes = 4096 * MIB, maxPendingBytes = 128 * MIB, onError } = options;
  const readers = createLogReaders({ fs, directory, segments, onError, onQuarantine }, cursors);
  const consumer = readers[0]!;
  // Above everything a checkpoint may speak of, also when the segments are gone.
  const spokenOf = cursors.map(({ checkpoint }) => checkpoint?.position.segment ?? 0);
  let lastId = Math.max(...spokenOf, ...segments.all.map(({ id }) => id));
  const appender = createAppender({
    fs,
    directory,
    segmentBytes,
    maxBytes,
    maxPendingBytes,
    onError,
    writer: createSegmentWriter({ fs, directory, segments, segmentBytes }),
    nextId: () => ++lastId,
    backlogBytes: () => segments.bytesAfter(consumer.ledger.position),
    onProgress: () => {
      for (const [index, { source }] of readers.entries()) waiters[index]!.wake(source.isReadable());
      void consumer.source.retire();
    },
  });
  return { appender, readers };
}

const IDLE_READER = { bytes: 0, unreadBytes: 0, oldestRecordAgeMillis: undefined };

const IDLE = {
  writable: false,
  appended: 0,
  acknowledged: 0,
  failed: 0,
  full: 0,
  bytes: 0,
  unreadBytes: 0,
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
