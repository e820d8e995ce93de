import { EngineError } from "./engine-error.ts";

/** Runs at most `size` tasks at once, the others in order of arrival. */
export interface Slots {
  /** @throws EngineError TOO_MANY_SIMULTANEOUS_QUERIES when the waiting line is full. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

const WAITING_LINE = 512;

export function createSlots(size: number): Slots {
  let free = size;
  const waiting: (() => void)[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }

  return {
    async run(task) {
      if (free > 0) free--;
      else {
        if (waiting.length >= WAITING_LINE) {
          throw new EngineError(202, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many queries are waiting.");
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      try {
        return await task();
      } finally {
        release();
      }
    },
  };
}
