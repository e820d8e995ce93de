import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../component.ts";
import type { Spool, SpoolBatch } from "../spool/index.ts";
import { createInsertPace } from "./insert-pace.ts";

export interface SpoolDrainOptions {
  readonly spool: Pick<Spool, "read" | "commit" | "release" | "waitForRecords" | "stats">;
  /**
   * Stores a batch, once however often it is called for it. Rejects for trouble that a later try may not meet. When the
   * signal aborts nobody waits for it any more: the batch comes again with the next start.
   */
  readonly store: (batch: SpoolBatch, signal: AbortSignal) => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
  /** About how much is stored at once while the store keeps up. Default 8 MiB. */
  readonly batchBytes?: number;
  /** The same while it does not: large batches cost it less (a third more spans/s than with 24 MiB). Default 56 MiB. */
  readonly maxBatchBytes?: number;
  /** Batches that are stored at a time: one is made ready while the store works on the other. Default 2. */
  readonly lanes?: number;
  /** How long a small batch waits for more at least, milliseconds. Default 50. */
  readonly lingerMillis?: number;
  /** Inserts per second under a steady load of small batches; ten may follow each other at once. Default 2.5. */
  readonly insertsPerSecond?: number;
  /** How long `shutdown()` goes on storing before it leaves what is left to the next start. Default 0. */
  readonly drainMillis?: number;
}

export interface SpoolDrain extends Component {
  /** Resolves when everything that was in the spool is stored. */
  idle(): Promise<void>;
}

const FIRST_BACKOFF_MILLIS = 50;
const LAST_BACKOFF_MILLIS = 2_000;
const CLOSING_PAUSE_MILLIS = 20;
const GATHER_STEP_MILLIS = 20;
const INSERT_BURST = 10;
const DEFAULT_BATCH_BYTES = 8 * 1024 * 1024;
const DEFAULT_MAX_BATCH_BYTES = 56 * 1024 * 1024;

/**
 * Moves the spool into the store: batch by batch, each until it is stored, however long the store is away. The batch's
 * name is its deduplication token, so a crash between the insert and the commit stores nothing twice.
 */
export function createSpoolDrain(options: SpoolDrainOptions): SpoolDrain {
  const { spool, batchBytes = DEFAULT_BATCH_BYTES, maxBatchBytes = DEFAULT_MAX_BATCH_BYTES } = options;
  const { lanes = 2, lingerMillis = 50, insertsPerSecond = 2.5 } = options;
  const now = (): number => performance.now();
  const pace = createInsertPace({ burst: INSERT_BURST, perSecond: insertsPerSecond, now });
  /** Nothing new comes in: what is there is stored without waiting for more. */
  const closing = new AbortController();
  const stop = new AbortController();
  let working: Promise<unknown> | undefined;
  let closed: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let waiters: (() => void)[] = [];

  const isEmpty = (): boolean => spool.stats().bytes === 0;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      if (isEmpty()) {
        for (const resolve of waiters) resolve();
        waiters = [];
        if (closing.signal.aborted) return;
      }
      if (!(await spool.waitForRecords(closing.signal))) {
        // Not empty, and yet nothing to read: a record is on its way to the disk, or the disk is in trouble.
        if (closing.signal.aborted && !isEmpty()) await pause(CLOSING_PAUSE_MILLIS);
        continue;
      }
      await moveOne().catch(async (error: unknown) => {
        options.onError("reading the spool", error);
        await pause(LAST_BACKOFF_MILLIS);
      });
    }
  }

  /** Lets more come in. A full batch does not wait, and nobody who waits for the end is kept waiting by the pace. */
  async function gather(): Promise<void> {
    const since = now();
    const paced = Math.max(lingerMillis, pace.waitMillis());
    while (spool.stats().unreadBytes < batchBytes && !closing.signal.aborted) {
      const left = (waiters.length > 0 ? lingerMillis : paced) - (now() - since);
      if (left <= 0) return;
      await pause(Math.min(left, GATHER_STEP_MILLIS), closing.signal);
    }
  }

  async function moveOne(): Promise<void> {
    const batch = await nextBatch();
    if (batch === undefined) return;
    if (await stored(batch)) await spool.commit(batch);
    else await spool.release(batch);
  }

  /** In turn: a lane that gathers while another one reads would come away with the crumbs. */
  function nextBatch(): Promise<SpoolBatch | undefined> {
    const taken = turn.then(async () => {
      await gather();
      const batch = await spool.read(spool.stats().unreadBytes > 2 * batchBytes ? maxBatchBytes : batchBytes);
      if (batch !== undefined) pace.take();
      return batch;
    });
    turn = taken.catch(() => {});
    return taken;
  }

  async function stored(batch: SpoolBatch): Promise<boolean> {
    for (let backoff = FIRST_BACKOFF_MILLIS; ; backoff = Math.min(backoff * 2, LAST_BACKOFF_MILLIS)) {
      try {
        // Whatever the store does with the signal: it cannot hold up the end.
        return await unlessAborted(options.store(batch, stop.signal), stop.signal);
      } catch (error) {
        if (backoff === FIRST_BACKOFF_MILLIS) options.onError("storing a batch, which is tried again", error);
        if (stop.signal.aborted) return false;
        await pause(backoff);
      }
    }
  }

  const pause = (millis: number, signal = stop.signal): Promise<void> =>
    sleep(millis, undefined, { signal }).catch(() => {});

  /** Stores what is left for as long as it may; aborted, the batch in hand is released, and kept on disk with the rest. */
  async function close(): Promise<void> {
    closing.abort();
    const deadline = setTimeout(() => stop.abort(), options.drainMillis ?? 0);
    await working;
    clearTimeout(deadline);
    stop.abort();
    const { bytes } = spool.stats();
    if (bytes > 0) {
      const left = new Error(`${bytes} acknowledged bytes stay on disk and are stored at the next start`);
      options.onError("emptying the spool in time", left);
    }
    for (const resolve of waiters) resolve();
  }

  return {
    async start() {
      working = Promise.all(Array.from({ length: lanes }, run));
    },
    shutdown: () => (closed ??= close()),
    idle: () => (isEmpty() ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
  };
}

/** `true` when the work is done, `false` at once when the signal aborts. Rejects as the work does. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(false);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    const forget = (): void => signal.removeEventListener("abort", onAbort);
    work.then(() => resolve(true), reject).finally(forget);
  });
}
