import type { StoredRun } from "./run-store.ts";

export interface RunQueueOptions {
  readonly now: () => number;
  readonly work: (run: StoredRun) => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
  /** Runs worked on at once. Default 4. */
  readonly concurrency?: number;
  /** Runs waiting; beyond it a run is left to the sweep. Default 100,000. */
  readonly maxWaiting?: number;
  /** Pause before a failed run is tried again, milliseconds; doubles with each failure up to a minute. Default 1,000. */
  readonly retryMillis?: number;
}

/** Runs to look at, each at most once at a time: a run that is touched while it is worked on is looked at again. */
export interface RunQueue {
  /** Looks at the run after the delay, or earlier if it already waits for less. */
  add(run: StoredRun, delayMillis: number): void;
  /** Resolves when nothing waits and nothing is under way, or when the queue was shut down. */
  idle(): Promise<void>;
  /** Lets what is under way finish; what waits is left to the next start's sweep. */
  shutdown(): Promise<void>;
}

const MAX_RETRY_MILLIS = 60_000;

export function createRunQueue(options: RunQueueOptions): RunQueue {
  const { now, concurrency = 4, maxWaiting = 100_000, retryMillis = 1_000 } = options;
  const waiting = new Map<string, { readonly run: StoredRun; readonly dueAt: number }>();
  const active = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Infinity;
  let stopped = false;
  let onIdle: (() => void)[] = [];

  function add(run: StoredRun, delayMillis: number): void {
    if (stopped) return;
    const dueAt = now() + delayMillis;
    const already = waiting.get(run.runId);
    if (already === undefined && waiting.size >= maxWaiting) return;
    if (already !== undefined && already.dueAt <= dueAt) return;
    waiting.set(run.runId, { run, dueAt });
    if (dueAt <= now() && active.size < concurrency && !active.has(run.runId)) begin(run);
    else wakeAt(dueAt);
  }

  /** One timer for the earliest: a look at all that wait costs their number, so it is not taken for every touch. */
  function wakeAt(dueAt: number): void {
    if (dueAt >= timerAt) return;
    clearTimeout(timer);
    timerAt = dueAt;
    timer = setTimeout(pump, Math.max(1, dueAt - now()));
  }

  function pump(): void {
    clearTimeout(timer);
    timerAt = Infinity;
    if (stopped) return;
    let next = Infinity;
    for (const [runId, { run, dueAt }] of waiting) {
      // Whatever ends first pumps again.
      if (active.size >= concurrency) return;
      if (active.has(runId)) continue;
      if (dueAt <= now()) begin(run);
      else next = Math.min(next, dueAt);
    }
    if (next < Infinity) wakeAt(next);
  }

  function begin(run: StoredRun): void {
    waiting.delete(run.runId);
    // Not in this turn: the run counts as active before its work can touch the queue.
    active.set(
      run.runId,
      Promise.resolve().then(() => process(run)),
    );
  }

  async function process(run: StoredRun): Promise<void> {
    try {
      await options.work(run);
      failures.delete(run.runId);
    } catch (error) {
      options.onError(`judging run ${run.runId}`, error);
      const failed = failures.get(run.runId) ?? 0;
      failures.set(run.runId, failed + 1);
      add(run, Math.min(retryMillis * 2 ** failed, MAX_RETRY_MILLIS));
    } finally {
      active.delete(run.runId);
      pump();
      tellIdle();
    }
  }

  function tellIdle(): void {
    if (waiting.size > 0 || active.size > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  return {
    add,
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve);
        tellIdle();
      }),
    async shutdown() {
      stopped = true;
      clearTimeout(timer);
      waiting.clear();
      await Promise.allSettled(active.values());
      tellIdle();
    },
  };
}
