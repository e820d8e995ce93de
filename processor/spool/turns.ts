/** Does tasks one after another, in the order they were given; one that fails does not stop the next. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

export interface Turns {
  readonly inTurn: InTurn;
  /** Resolves when the tasks given so far are done. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    inTurn(task) {
      const result = last.then(task);
      last = result.catch(() => {});
      return result;
    },
    async idle() {
      await last;
    },
  };
}
