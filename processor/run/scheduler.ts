import { createBreather } from "../breather.ts";

/** Time and timers of runs: one thing to replace where time must be made. */
export interface Scheduler {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once, not before the time has passed. Returns what calls it off; harmless afterwards. */
  after(millis: number, work: () => void): () => void;
  /** What a long computation awaits between its parts, so that others get their turn. */
  breather(): () => Promise<void> | undefined;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(millis, work) {
    const timer = setTimeout(work, Math.max(0, millis));
    return () => clearTimeout(timer);
  },
  breather: createBreather,
};
