import { createDueHeap } from "./due-heap.ts";
import { workInParts } from "./work-in-parts.ts";
import type { StoredRun } from "./run-store.ts";
import type { Scheduler } from "./scheduler.ts";

export interface RunQueueOptions {
  readonly scheduler: Scheduler;
  /** Works on all of them; rejects when one or all could not be worked on, and must then be repeatable. */
  readonly work: (runs: readonly StoredRun[]) => Promise<void>;
  readonly onError: (what: string, error: unknown) => void;
  /** Told when a touch found no room: somebody has to find the run in the store again, touched since then. */
  readonly onOverflow: (since: number) => void;
  /** Batches worked on at once. Default 1: what comes in meanwhile makes the next one larger, and so cheaper a run. */
  readonly concurrency?: number;
  /** Runs of one batch. Default 500. */
  readonly maxBatch?: number;
  /** How long the first run of a batch waits for others, milliseconds. Default 50. */
  readonly lingerMillis?: number;
  /** Runs waiting; a touch beyond them is an overflow. Default 100,000. */
  readonly maxWaiting?: number;
  /** Pause before a failed run is tried again, milliseconds; doubles with each failure up to a minute. Default 1,000. */
  readonly retryMillis?: number;
}

export interface Due {
  readonly delayMillis: number;
  /** What touched the run came in at this time, or later; milliseconds since the epoch. Default: as in the look under way. */
  readonly since?: number;
  /** Nobody waits for it: `idle` does not. Default false. */
  readonly background?: boolean;
}

/** Runs to look at, many at a time, each in one batch at a time: one touched while it is worked on is looked at again. */
export interface RunQueue {
  /** Looks at the run after the delay, or earlier if it already waits for less. */
  add(run: StoredRun, due: Due): void;
  /** How many more may wait. */
  room(): number;
  /** The earliest `since` of all that wait or are under way, `Infinity` when there is none. */
  since(): number;
  /** Resolves when nothing waits but in the background and nothing is under way, or when the queue was shut down. */
  idle(): Promise<void>;
  /** Lets what is under way finish; what waits is left to a sweep. */
  shutdown(): Promise<void>;
}

interface Entry {
  readonly run: StoredRun;
  readonly dueAt: number;
  readonly since: number;
  readonly background: boolean;
  readonly failures: number;
}

const MAX_RETRY_MILLIS = 60_000;
/** After a batch the queue rests for as long as the batch took, at most this long: half of the store's time is others'. */
const MAX_REST_MILLIS = 500;
/** Entries of the heap that no longer count may be this many times those that do. */
const HEAP_SLACK = 4;
const keyOf = ({ traceId, runId }: StoredRun): string => `${traceId}/${runId}`;

export function createRunQueue(options: RunQueueOptions): RunQueue {
  const { scheduler, concurrency = 1, maxBatch = 500, lingerMillis = 50, maxWaiting = 100_000 } = options;
  const waiting = new Map<string, Entry>();
  const active = new Map<string, Entry>();
  const batches = new Set<Promise<void>>();
  const heap = createDueHeap();
  let cancel = (): void => {};
  let wakesAt = Infinity;
  let restsUntil = 0;
  let stopped = false;
  let onIdle: (() => void)[] = [];

  function put(key: string, entry: Entry): void {
    waiting.set(key, entry);
    heap.push(entry.dueAt, key);
    if (heap.size > HEAP_SLACK * waiting.size + 1_000) {
      heap.clear();
      for (const [other, { dueAt }] of waiting) heap.push(dueAt, other);
    }
    wakeAt(Math.max(entry.dueAt, scheduler.now() + lingerMillis));
  }

  function add(run: StoredRun, due: Due): void {
    if (stopped) return;
    const key = keyOf(run);
    const already = waiting.get(key);
    const since = due.since ?? active.get(key)?.since ?? scheduler.now();
    if (already === undefined && waiting.size >= maxWaiting) return options.onOverflow(since);
    const dueAt = scheduler.now() + due.delayMillis;
    const background = due.background ?? false;
    if (already === undefined) return put(key, { run, dueAt, since, background, failures: 0 });
    const joined = { ...already, since: Math.min(since, already.since), background: background && already.background };
    if (dueAt < already.dueAt) put(key, { ...joined, dueAt });
    else waiting.set(key, joined);
  }

  function wakeAt(time: number): void {
    if (time >= wakesAt || stopped) return;
    cancel();
    wakesAt = time;
    cancel = scheduler.after(Math.max(0, time - scheduler.now()), () => {
      wakesAt = Infinity;
      pump();
    });
  }

  function pump(): void {
    if (scheduler.now() < restsUntil) return wakeAt(restsUntil);
    while (!stopped && batches.size < concurrency) {
      const batch = takeDue();
      if (batch.size === 0) break;
      const began = scheduler.now();
      const working = process(batch).finally(() => {
        batches.delete(working);
        restsUntil = scheduler.now() + Math.min(MAX_REST_MILLIS, Math.max(0, scheduler.now() - began));
        finish(batch);
      });
      batches.add(working);
    }
    // Whatever ends first pumps again.
    if (batches.size < concurrency && heap.size > 0) wakeAt(Math.max(heap.next(), scheduler.now() + lingerMillis));
  }

  /** A run under way stays among the waiting and comes back with the end of its batch. */
  function takeDue(): Map<string, Entry> {
    const batch = new Map<string, Entry>();
    const now = scheduler.now();
    while (batch.size < maxBatch && heap.next() <= now) {
      const { key, dueAt } = heap.pop()!;
      const entry = waiting.get(key);
      if (entry?.dueAt !== dueAt || active.has(key)) continue;
      waiting.delete(key);
      active.set(key, entry);
      batch.set(key, entry);
    }
    return batch;
  }

  async function process(batch: ReadonlyMap<string, Entry>): Promise<void> {
    const entries = [...batch.values()];
    const { failed, untried } = await workInParts(entries, (part) => options.work(part.map(({ run }) => run)));
    for (const { item, error } of failed) {
      options.onError(`judging run ${item.run.runId}`, error);
      retry({ ...item, failures: item.failures + 1 });
    }
    for (const entry of untried) retry(entry);
  }

  function retry(entry: Entry): void {
    if (stopped) return;
    const key = keyOf(entry.run);
    const pause = Math.min((options.retryMillis ?? 1_000) * 2 ** Math.max(0, entry.failures - 1), MAX_RETRY_MILLIS);
    const since = Math.min(entry.since, waiting.get(key)?.since ?? Infinity);
    waiting.set(key, { ...entry, dueAt: scheduler.now() + pause, since, background: false });
  }

  function finish(batch: ReadonlyMap<string, Entry>): void {
    for (const key of batch.keys()) {
      active.delete(key);
      const again = waiting.get(key);
      if (again !== undefined) heap.push(again.dueAt, key);
    }
    pump();
    tellIdle();
  }

  function tellIdle(): void {
    if (onIdle.length === 0) return;
    if (!stopped && (active.size > 0 || [...waiting.values()].some((entry) => !entry.background))) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  return {
    add,
    room: () => Math.max(0, maxWaiting - waiting.size),
    since() {
      let least = Infinity;
      for (const entries of [waiting, active]) for (const { since } of entries.values()) least = Math.min(least, since);
      return least;
    },
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve);
        tellIdle();
      }),
    async shutdown() {
      stopped = true;
      cancel();
      await Promise.allSettled(batches);
      tellIdle();
    },
  };
}
