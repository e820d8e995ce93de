import type { StoredRun } from "./run-store.ts";

export interface RunQueueOptions {
  readonly now: () => number;
  readonly work: (run: StoredRun) => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
  /** Runs worked on at once. Default 4. */
  readonly concurrency?: number;
  /** Runs waiting; beyond it a run is left to the sweep. Default 100,000. */
  readonly maxWaiting?: number;
  /** Pause before a failed run is tried again, milliseconds. Default 1,000. */
  readonly retryMillis?: number;
}

/** Runs to look at, each at most once at a time: a run that is touched while it is worked on is looked at again. */
export interface RunQueue {
  /** Looks at the run after the delay, or earlier if it already waits for less. */
  add(run: StoredRun, delayMillis: number): void;
  idle(): Promise<void>;
  /** Lets what is under way finish; what waits is left to the next start's sweep. */
  shutdown(): Promise<void>;
}

export function createRunQueue(options: RunQueueOptions): RunQueue {
  const { now, concurrency = 4, maxWaiting = 100_000, retryMillis = 1_000 } = options;
  const waiting = new Map<string, { readonly run: StoredRun; readonly dueAt: number }>();
  const active = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let onIdle: (() => void)[] = [];

  function add(run: StoredRun, delayMillis: number): void {
    if (stopped) return;
    const dueAt = now() + delayMillis;
    const already = waiting.get(run.runId);
    if (already === undefined && waiting.size >= maxWaiting) return;
    if (already === undefined || dueAt < already.dueAt) waiting.set(run.runId, { run, dueAt });
    pump();
  }

  function pump(): void {
    clearTimeout(timer);
    if (stopped) return;
    for (const [runId, { run, dueAt }] of waiting) {
      if (active.size >= concurrency) return;
      if (dueAt > now() || active.has(runId)) continue;
      waiting.delete(runId);
      active.set(runId, process(run));
    }
    schedule();
  }

  async function process(run: StoredRun): Promise<void> {
    try {
      await options.work(run);
    } catch (error) {
      options.onError(`judging run ${run.runId}`, error);
      add(run, retryMillis);
    } finally {
      active.delete(run.runId);
      queueMicrotask(pump);
    }
  }

  function schedule(): void {
    if (waiting.size === 0) {
      if (active.size > 0) return;
      for (const resolve of onIdle) resolve();
      onIdle = [];
      return;
    }
    const next = Math.min(
      ...[...waiting.values()].filter(({ run }) => !active.has(run.runId)).map(({ dueAt }) => dueAt),
    );
    if (Number.isFinite(next)) timer = setTimeout(pump, Math.max(1, next - now()));
  }

  return {
    add,
    idle: () =>
      waiting.size === 0 && active.size === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve)),
    async shutdown() {
      stopped = true;
      clearTimeout(timer);
      await Promise.allSettled(active.values());
    },
  };
}
