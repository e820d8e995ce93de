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
   * must be started for (the modes strict and live) goes to `runChild()` itself. Rejects when the pool is closed before the
   * replay's turn.
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
  let { locale = DEFAULT_LOCALE } = options;

  const offer = (child: PooledChild): void => {
    const turn = queue.shift();
    if (turn === undefined) idle.push(child);
    else turn.resolve(child);
  };
  const create = (): PooledChild => {
    const child = createPooledChild({ ...options, locale });
    all.add(child);
    return child;
  };
  const end = (child: PooledChild): void => {
    all.delete(child);
    void child.end();
  };
  /** A process takes its locale from its environment once; most replays of a pool have the same. */
  const withLocale = (child: PooledChild, wanted = DEFAULT_LOCALE): PooledChild => {
    if (child.locale === wanted) return child;
    locale = wanted;
    end(child);
    return create();
  };
  const release = (child: PooledChild): void => {
    if (closed) return;
    if (child.isReusable()) return offer(child);
    // The next one starts while this one ends.
    offer(create());
    end(child);
  };

  for (let i = 0; i < options.size; i++) offer(create());
  return {
    async run(replay) {
      if (closed) throw poolClosed();
      if (needsItsOwnStart(replay)) return await runChild(replay);
      const turn = Promise.withResolvers<PooledChild>();
      queue.push(turn);
      const free = idle.shift();
      if (free !== undefined) offer(free);
      const child = withLocale(await turn.promise, worldOfFixture(replay.fixture).locale);
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

/** The walls and the live calls are not the pool's. */
const needsItsOwnStart = ({ mode = "cassette" }: RunChildOptions): boolean => mode !== "cassette";

const poolClosed = (): Error => new Error("the pool of replay processes is closed");
