/** Work that took too long. */
export class DeadlineError extends Error {
  readonly code = "RUNPROOF_SCOPE_DEADLINE";
}

/**
 * Gives `work` so many milliseconds and a signal that says when they are over; then rejects with `DeadlineError`, whether
 * or not the work listens. `Infinity` waits for ever.
 */
export async function withDeadline<Result>(
  what: string,
  millis: number,
  work: (signal: AbortSignal) => Promise<Result> | Result,
): Promise<Result> {
  const over = new AbortController();
  if (millis === Infinity) return await work(over.signal);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DeadlineError(`${what} gave no answer within ${millis} ms`);
      over.abort(error);
      reject(error);
    }, millis);
  });
  try {
    return await Promise.race([Promise.resolve(work(over.signal)), late]);
  } finally {
    clearTimeout(timer);
  }
}
