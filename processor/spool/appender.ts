import { join } from "node:path";
import { type AppendOutcome, createAppendQueue, type PendingRecord } from "./append-queue.ts";
import { encodeFrame, frameBytes, type RecordLane, type SpoolRecord } from "./frame.ts";
import type { SegmentWriter } from "./segment-writer.ts";
import { type SpoolFs, writeFully } from "./spool-fs.ts";

export interface AppenderOptions {
  readonly fs: SpoolFs;
  readonly directory: string;
  readonly writer: SegmentWriter;
  /** A new segment's id. */
  readonly nextId: () => number;
  /** Bytes on disk that are not consumed. */
  readonly backlogBytes: () => number;
  readonly segmentBytes: number;
  readonly maxBytes: number;
  readonly maxPendingBytes: number;
  readonly onError: (what: string, error: unknown) => void;
  /** Called when records became readable or a segment was sealed. */
  readonly onProgress: () => void;
}

export interface AppendCounts {
  appended: number;
  acknowledged: number;
  failed: number;
  full: number;
}

export interface Appender {
  append(record: SpoolRecord): Promise<AppendOutcome>;
  /** Opens the first segment. A disk that does not work is no reason to fail: it is tried again like any later time. */
  start(): Promise<void>;
  /** Refuses new records and resolves when the last one is answered. */
  stop(): Promise<void>;
  readonly counts: Readonly<AppendCounts>;
  /** `false` from a failed write until one works again. */
  readonly writable: boolean;
  readonly pendingBytes: number;
  /** Milliseconds of the last write with its `fdatasync`. */
  readonly lastSyncMillis: number | undefined;
}

/** Share of the limits that only the priority lane may use. */
const PRIORITY_SHARE = 0.05;
const GROUP_BYTES = 8 * 1024 * 1024;
const RETRY_MILLIS = 250;
const MAX_PROBE_BYTES = 1024 * 1024;

/** Writes what arrives while a group is being synced as the next group: one `fdatasync` for all of it. */
export function createAppender(options: AppenderOptions): Appender {
  const { writer, onError } = options;
  const queue = createAppendQueue();
  const counts: AppendCounts = { appended: 0, acknowledged: 0, failed: 0, full: 0 };
  let state: "stopped" | "writable" | "broken" = "stopped";
  let working: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let lastSyncMillis: number | undefined;

  function hasRoom(bytes: number, lane: RecordLane): boolean {
    const share = lane === "priority" ? 1 : 1 - PRIORITY_SHARE;
    if (options.backlogBytes() + queue.bytes + bytes > options.maxBytes * share) return false;
    // One alone is in memory anyway; refusing it would refuse it for ever.
    return queue.bytes === 0 || queue.bytes + bytes <= options.maxPendingBytes * share;
  }

  function answer(records: readonly PendingRecord[], outcome: "durable" | "failed"): void {
    counts[outcome === "durable" ? "acknowledged" : "failed"] += records.length;
    queue.settle(records, outcome);
  }

  /** One task at a time; records that came in while it ran are written next. */
  function run(task: () => Promise<void>): void {
    working = task().finally(() => {
      working = undefined;
      if (queue.length > 0) run(work);
    });
  }

  async function work(): Promise<void> {
    // Whatever is appended in the same turn of the event loop goes into the first group.
    await Promise.resolve();
    while (queue.length > 0) {
      const group = queue.take(writer.room, Math.min(GROUP_BYTES, options.segmentBytes));
      try {
        if (group.length === 0) {
          await writer.open(options.nextId());
        } else {
          const begin = performance.now();
          await writer.write(group);
          lastSyncMillis = performance.now() - begin;
          answer(group, "durable");
        }
        options.onProgress();
      } catch (error) {
        await breakDown(error, group);
      }
    }
  }

  /** From here on nothing is acknowledged until a write has worked. */
  async function breakDown(error: unknown, group: readonly PendingRecord[]): Promise<void> {
    if (state === "writable") state = "broken";
    answer(group, "failed");
    answer(queue.takeAll(), "failed");
    onError("writing the spool", error);
    const lostBytes = group.reduce((sum, { bytes }) => sum + bytes, 0);
    await writer.abandon();
    options.onProgress();
    scheduleRetry(lostBytes);
  }

  function scheduleRetry(lostBytes: number): void {
    if (state !== "broken") return;
    retry = setTimeout(() => {
      retry = undefined;
      run(() => mend(lostBytes));
    }, RETRY_MILLIS);
  }

  async function mend(lostBytes: number): Promise<void> {
    try {
      await probe(options, Math.min(lostBytes, MAX_PROBE_BYTES));
      await writer.open(options.nextId());
      if (state === "broken") state = "writable";
    } catch {
      await writer.abandon();
      scheduleRetry(lostBytes);
    }
    options.onProgress();
  }

  return {
    async append(record) {
      counts.appended++;
      if (state !== "writable") {
        counts.failed++;
        return "failed";
      }
      const { lane, receivedAtMillis } = record;
      const bytes = frameBytes(record);
      if (!hasRoom(bytes, lane)) {
        counts.full++;
        return "full";
      }
      // The checksum only now: refusing must stay cheap.
      const frame = encodeFrame(record);
      return new Promise((settle) => {
        queue.add({ lane, frame, bytes, receivedAtMillis, settle });
        if (working === undefined) run(work);
      });
    },
    async start() {
      state = "writable";
      try {
        await writer.open(options.nextId());
      } catch (error) {
        await breakDown(error, []);
      }
    },
    async stop() {
      state = "stopped";
      clearTimeout(retry);
      while (working !== undefined) await working;
      await writer.close().catch((error) => onError("closing the spool", error));
    },
    counts,
    get writable() {
      return state === "writable";
    },
    get pendingBytes() {
      return queue.bytes;
    },
    get lastSyncMillis() {
      return lastSyncMillis;
    },
  };
}

/** Whether the disk takes as many bytes as it just refused; otherwise each retry would cost a request its answer. */
async function probe({ fs, directory }: AppenderOptions, bytes: number): Promise<void> {
  const path = join(directory, "probe.tmp");
  await fs.remove(path).catch(() => {});
  const file = await fs.open(path, "wx");
  try {
    await writeFully(file, [Buffer.alloc(bytes)], 0);
    await file.datasync();
  } finally {
    await file.close().catch(() => {});
    await fs.remove(path).catch(() => {});
  }
}
