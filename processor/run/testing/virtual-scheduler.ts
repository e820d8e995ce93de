import { createDueHeap } from "../due-heap.ts";
import type { Scheduler } from "../scheduler.ts";

/** Time that passes as fast as the work in it is done. */
export interface VirtualScheduler extends Scheduler {
  sleep(millis: number): Promise<void>;
  /** Runs all that is due up to that time, in order, and lets promises settle after each. */
  runUntil(time: number): Promise<void>;
}

export function createVirtualScheduler(start: number): VirtualScheduler {
  const heap = createDueHeap();
  const timers = new Map<string, () => void>();
  let time = start;
  let last = 0;

  function after(millis: number, work: () => void): () => void {
    const id = String(last++);
    timers.set(id, work);
    heap.push(time + Math.max(0, millis), id);
    return () => void timers.delete(id);
  }

  return {
    // Computing takes no made time.
    breather: () => () => undefined,
    now: () => time,
    after,
    sleep: (millis) => new Promise((resolve) => void after(millis, resolve)),
    async runUntil(end) {
      while (heap.next() <= end) {
        const due = heap.pop();
        const work = due === undefined ? undefined : timers.get(due.key);
        if (due === undefined || work === undefined) continue;
        timers.delete(due.key);
        time = Math.max(time, due.dueAt);
        work();
        // Several turns of the queue of promises: every continuation of the work has run before time goes on.
        await new Promise((resolve) => setImmediate(resolve));
      }
      time = end;
    },
  };
}
