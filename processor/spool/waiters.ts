/** Callers that wait for something to read. */
export interface Waiters {
  /** `true` when woken; `false` when the signal aborts or `close` was called. */
  wait(signal?: AbortSignal): Promise<boolean>;
  /** Lets all go when there is something. */
  wake(readable: boolean): void;
  close(): void;
  readonly closed: boolean;
}

export function createWaiters(): Waiters {
  const waiting = new Set<(readable: boolean) => void>();
  let closed = false;
  const letGo = (readable: boolean): void => {
    for (const resolve of waiting) resolve(readable);
  };
  return {
    wait(signal) {
      if (closed || signal?.aborted) return Promise.resolve(false);
      return new Promise((settle) => {
        const onAbort = (): void => resolve(false);
        const resolve = (readable: boolean): void => {
          waiting.delete(resolve);
          signal?.removeEventListener("abort", onAbort);
          settle(readable);
        };
        waiting.add(resolve);
        signal?.addEventListener("abort", onAbort);
      });
    },
    wake(readable) {
      if (readable) letGo(true);
    },
    close() {
      closed = true;
      letGo(false);
    },
    get closed() {
      return closed;
    },
  };
}
