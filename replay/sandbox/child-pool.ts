import {
  createPooledChild,
  DEFAULT_LOCALE,
  type PooledChild,
  type PooledChildOptions,
} from "./pooled-child-process.ts";
import { worldOfFixture } from "./determinism/world-of-fixture.ts";
import { type ChildRun, runChild, type RunChildOptions } from "./run-child.ts";

export interface ChildPoolOptions extends PooledChildOptions {
  /** Processes that run or wait at the same time. */
  readonly size: number;
}

/** Processes that wait with everything loaded but the agent. */
export interface ChildPool {
  /**
   * As `runChild()`, in a process that waits. Replays beyond the pool's size queue in the order they came. What a process
   * must be started for (strict mode, another locale) goes to `runChild()` itself. Rejects when the pool is closed before
   * the replay's turn.
   */
  run(options: RunChildOptions): Promise<ChildRun>;
  /** Resolves when all processes wait, or failed to start. */
  ready(): Promise<void>;
  /** Ends all processes; what they ran resolves as `exited`. Safe twice. */
  close(): Promise<void>;
}

type Turn = PromiseWithResolvers<PooledChild>;

/** Forks the processes at once. */
export function createChildPool(options: ChildPoolOptions): ChildPool {
  const all = new Set<PooledChild>();
  const idle: PooledChild[] = [];
  const queue: Turn[] = [];
  let closed = false;

  const offer = (child: PooledChild): void => {
    const turn = queue.shift();
    if (turn === undefined) idle.push(child);
    else turn.resolve(child);
  };
  const add = (): void => {
    const child = createPooledChild(options);
    all.add(child);
    offer(child);
  };
  const release = (child: PooledChild): void => {
    if (closed) return;
    if (child.isReusable()) return offer(child);
    all.delete(child);
    // The next one starts while this one ends.
    add();
    void child.end();
  };

  for (let i = 0; i < options.size; i++) add();
  return {
    async run(replay) {
      if (closed) throw poolClosed();
      if (needsItsOwnStart(replay, options.locale)) return await runChild(replay);
      const turn = Promise.withResolvers<PooledChild>();
      queue.push(turn);
      const free = idle.shift();
      if (free !== undefined) offer(free);
      const child = await turn.promise;
      try {
        return await child.run(replay);
      } finally {
        release(child);
      }
    },
    ready: async () => void (await Promise.all([...all].map((child) => child.ready()))),
    async close() {
      closed = true;
      for (const turn of queue.splice(0)) turn.reject(poolClosed());
      await Promise.all([...all].map((child) => child.end()));
      all.clear();
    },
  };
}

/** A process takes its locale from its environment once; the walls and the live calls are not the pool's. */
const needsItsOwnStart = ({ mode = "cassette", fixture }: RunChildOptions, locale = DEFAULT_LOCALE): boolean =>
  mode !== "cassette" || (worldOfFixture(fixture).locale ?? DEFAULT_LOCALE) !== locale;

const poolClosed = (): Error => new Error("the pool of replay processes is closed");
