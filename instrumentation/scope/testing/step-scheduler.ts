/** Decides which of the waiting steps of several actors happens next; nothing happens unless it says so. */
export interface StepScheduler {
  /** Waits for its turn. In free running every turn is at once. */
  turn(actor: string, step: string): Promise<void>;
  /** Actors with a waiting step, one entry a step, in the order they came within an actor. */
  waiting(): readonly string[];
  /** Lets the waiting step with this index happen, and everything that follows from it without a further turn. */
  release(index: number): Promise<void>;
  /** From here on nobody waits. */
  runFree(): void;
}

interface Waiting {
  readonly actor: string;
  readonly step: string;
  readonly go: () => void;
}

export function createStepScheduler(): StepScheduler {
  const queue: Waiting[] = [];
  let isFree = false;
  return {
    turn(actor, step) {
      if (isFree) return Promise.resolve();
      return new Promise((go) => {
        queue.push({ actor, step, go });
        // By actor, so that the order does not depend on who came first.
        queue.sort((one, other) => (one.actor < other.actor ? -1 : one.actor > other.actor ? 1 : 0));
      });
    },
    waiting: () => queue.map(({ actor, step }) => `${actor}:${step}`),
    async release(index) {
      const [next] = queue.splice(index, 1);
      next?.go();
      await settled();
    },
    runFree: () => void (isFree = true),
  };
}

/** All steps are promises, and Node's next tick comes when no promise is left that could go on. */
export const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
