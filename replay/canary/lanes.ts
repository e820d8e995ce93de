/** Places for work that many want at once; who is more urgent goes first, whoever came first among equals. */
export interface Lanes {
  /** Runs `work` when a place is free. Lower numbers go first. */
  run<Result>(urgency: number, work: () => Promise<Result>): Promise<Result>;
}

interface Waiting {
  readonly urgency: number;
  readonly start: () => void;
}

/** `count` works at the same time, over all who ask. What is running is never stopped: whoever is long works in parts. */
export function createLanes(count: number): Lanes {
  const waiting: Waiting[] = [];
  let free = count;
  const next = (): void => {
    const first = waiting.reduce<Waiting | undefined>(
      (best, one) => (best === undefined || one.urgency < best.urgency ? one : best),
      undefined,
    );
    if (first === undefined) return void free++;
    waiting.splice(waiting.indexOf(first), 1);
    first.start();
  };
  return {
    async run(urgency, work) {
      if (free > 0) free--;
      else await new Promise<void>((start) => waiting.push({ urgency, start }));
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
