/** Lets something happen at once and then ever more rarely: twice the wait each time, until it was not wanted for long. */
export interface RestartSpacing {
  /** Whether it may happen now. */
  allows(): boolean;
  /** It happens. */
  count(): void;
}

const FIRST_WAIT_MILLIS = 5_000;
/** Twice in a row fits into the time that the sources of a merge outlive it. */
const LAST_WAIT_MILLIS = 60_000;
const FORGET_MILLIS = 600_000;

export function createRestartSpacing(now: () => number): RestartSpacing {
  let last = -Infinity;
  let waitMillis = FIRST_WAIT_MILLIS;
  return {
    allows: () => now() - last >= waitMillis,
    count() {
      const isNew = now() - last > FORGET_MILLIS;
      waitMillis = isNew ? FIRST_WAIT_MILLIS : Math.min(waitMillis * 2, LAST_WAIT_MILLIS);
      last = now();
    },
  };
}
