/** Time and timers of runs: one thing to replace where time must be made. */
export interface Scheduler {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once, not before the time has passed. Returns what calls it off; harmless afterwards. */
  after(millis: number, work: () => void): () => void;
}

export const systemScheduler: Scheduler = {
  now: () => Date.now(),
  after(millis, work) {
    const timer = setTimeout(work, Math.max(0, millis));
    return () => clearTimeout(timer);
  },
};
