import { setTimeout as sleep } from "node:timers/promises";
import type { Component } from "../component.ts";
import type { Spool, SpoolBatch } from "../spool/index.ts";

export interface SpoolDrainOptions {
  readonly spool: Pick<Spool, "read" | "commit" | "release" | "waitForRecords" | "stats">;
  /** Stores a batch, once however often it is called for it. Rejects for trouble that a later try may not meet. */
  readonly store: (batch: SpoolBatch) => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
  /** About how much is stored at once. Default 8 MiB. */
  readonly batchBytes?: number;
  /** How long a small batch waits for more, milliseconds: fewer, larger inserts cost the store far less. Default 50. */
  readonly lingerMillis?: number;
}

export interface SpoolDrain extends Component {
  /** Resolves when everything that was in the spool is stored. */
  idle(): Promise<void>;
}

const FIRST_BACKOFF_MILLIS = 50;
const LAST_BACKOFF_MILLIS = 2_000;
const DEFAULT_BATCH_BYTES = 8 * 1024 * 1024;

/**
 * Moves the spool into the store: batch by batch, each until it is stored, however long the store is away. The batch's
 * name is its deduplication token, so a crash between the insert and the commit stores nothing twice.
 */
export function createSpoolDrain(options: SpoolDrainOptions): SpoolDrain {
  const { spool, batchBytes = DEFAULT_BATCH_BYTES, lingerMillis = 50 } = options;
  const stop = new AbortController();
  let working: Promise<void> | undefined;
  let inHand = false;
  let waiters: (() => void)[] = [];

  const isEmpty = (): boolean => !inHand && spool.stats().bytes === 0;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      if (isEmpty()) {
        for (const resolve of waiters) resolve();
        waiters = [];
      }
      if (!(await spool.waitForRecords(stop.signal))) continue;
      if (spool.stats().bytes < batchBytes) await pause(lingerMillis);
      await moveOne().catch(async (error: unknown) => {
        options.onError("reading the spool", error);
        await pause(LAST_BACKOFF_MILLIS);
      });
    }
  }

  async function moveOne(): Promise<void> {
    inHand = true;
    try {
      const batch = await spool.read(batchBytes);
      if (batch === undefined) return;
      if (await stored(batch)) await spool.commit(batch);
      else await spool.release(batch);
    } finally {
      inHand = false;
    }
  }

  async function stored(batch: SpoolBatch): Promise<boolean> {
    for (let backoff = FIRST_BACKOFF_MILLIS; ; backoff = Math.min(backoff * 2, LAST_BACKOFF_MILLIS)) {
      try {
        await options.store(batch);
        return true;
      } catch (error) {
        if (backoff === FIRST_BACKOFF_MILLIS) options.onError("storing a batch, which is tried again", error);
        if (stop.signal.aborted) return false;
        await pause(backoff);
      }
    }
  }

  const pause = (millis: number): Promise<void> => sleep(millis, undefined, { signal: stop.signal }).catch(() => {});

  return {
    async start() {
      working = run();
    },
    async shutdown() {
      stop.abort();
      await working;
      for (const resolve of waiters) resolve();
    },
    idle: () => (isEmpty() ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
  };
}
