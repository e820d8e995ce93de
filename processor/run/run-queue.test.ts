import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRunQueue, type RunQueue, type RunQueueOptions } from "./run-queue.ts";
import type { StoredRun } from "./run-store.ts";
import { systemScheduler } from "./scheduler.ts";

const run = (runId: string): StoredRun => ({ runId, traceId: "t" });

/** Work that each test ends by hand, and a record of when it began. */
function bench(options: Partial<RunQueueOptions> = {}) {
  const begun: { readonly runId: string; readonly at: number }[] = [];
  const open = new Map<string, PromiseWithResolvers<void>[]>();
  const errors: string[] = [];
  const dropped: number[] = [];
  const queue = createRunQueue({
    scheduler: systemScheduler,
    work: ([{ runId } = run("")]) => {
      const end = Promise.withResolvers<void>();
      begun.push({ runId, at: Date.now() });
      open.set(runId, [...(open.get(runId) ?? []), end]);
      return end.promise;
    },
    onError: (what) => errors.push(what),
    onOverflow: (since) => dropped.push(since),
    maxBatch: 1,
    lingerMillis: 0,
    concurrency: 4,
    ...options,
  });
  const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1);
  const end = async (runId: string, error?: Error): Promise<void> => {
    const work = open.get(runId)?.shift();
    if (work === undefined) throw new Error(`${runId} is not under way`);
    if (error === undefined) work.resolve();
    else work.reject(error);
    await turn();
  };
  return { queue, begun, errors, dropped, turn, end, runs: () => begun.map(({ runId }) => runId) };
}

async function isIdle(queue: RunQueue): Promise<boolean> {
  let idle = false;
  void queue.idle().then(() => (idle = true));
  await vi.advanceTimersByTimeAsync(1);
  return idle;
}

describe("a run queue", () => {
  beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
  afterEach(() => vi.useRealTimers());

  it("works on a run at most once at a time and looks again at one that is touched meanwhile", async () => {
    const { queue, runs, turn, end } = bench();
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    queue.add(run("a"), { delayMillis: 0 });
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    expect(runs()).toEqual(["a"]);
    await end("a");
    await vi.advanceTimersByTimeAsync(500);
    expect(runs()).toEqual(["a", "a"]);
    await end("a");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(runs()).toEqual(["a", "a"]);
  });

  it("rests for as long as a batch took, so that others get the store, but not for ever", async () => {
    const { queue, runs, turn, end } = bench({ concurrency: 1 });
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    await vi.advanceTimersByTimeAsync(200);
    queue.add(run("b"), { delayMillis: 0 });
    await end("a");
    await vi.advanceTimersByTimeAsync(150);
    expect(runs()).toEqual(["a"]);
    await vi.advanceTimersByTimeAsync(150);
    expect(runs()).toEqual(["a", "b"]);
    await vi.advanceTimersByTimeAsync(10_000);
    queue.add(run("c"), { delayMillis: 0 });
    await end("b");
    await vi.advanceTimersByTimeAsync(600);
    expect(runs()).toEqual(["a", "b", "c"]);
  });

  it("joins touches before the work begins into one look", async () => {
    const { queue, runs } = bench();
    for (let n = 0; n < 10; n++) queue.add(run("a"), { delayMillis: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs()).toEqual(["a"]);
  });

  it("waits for the delay, takes the earlier of two and keeps it", async () => {
    const { queue, begun } = bench();
    queue.add(run("late"), { delayMillis: 500 });
    queue.add(run("early"), { delayMillis: 1_000 });
    queue.add(run("early"), { delayMillis: 200 });
    queue.add(run("early"), { delayMillis: 800 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(begun).toEqual([
      { runId: "early", at: 1_000_200 },
      { runId: "late", at: 1_000_500 },
    ]);
  });

  it("works on no more runs at once than it may", async () => {
    const { queue, runs, turn, end } = bench({ concurrency: 2 });
    for (const id of ["a", "b", "c"]) queue.add(run(id), { delayMillis: 0 });
    await turn();
    expect(runs()).toEqual(["a", "b"]);
    await end("b");
    expect(runs()).toEqual(["a", "b", "c"]);
  });

  it("keeps a bounded number waiting and still takes touches of those", async () => {
    const { queue, runs } = bench({ maxWaiting: 2, concurrency: 10 });
    for (const id of ["a", "b", "left to the sweep"]) queue.add(run(id), { delayMillis: 1_000 });
    queue.add(run("b"), { delayMillis: 10 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(runs()).toEqual(["b", "a"]);
  });

  it("tries a failed run again, ever later, and reports each failure", async () => {
    const { queue, begun, errors, turn, end } = bench({ retryMillis: 1_000 });
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    for (let failure = 0; failure < 8; failure++) {
      await end("a", new Error("the store is away"));
      await vi.advanceTimersByTimeAsync(60_000);
    }
    const waits = begun.slice(1).map(({ at }, index) => at - (begun[index]?.at ?? 0));
    expect(errors).toEqual(Array(8).fill("judging run a"));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(begun).toHaveLength(9);
  });

  it("doubles the pause up to a minute and starts over after a success", async () => {
    const { queue, begun, turn, end } = bench({ retryMillis: 1_000 });
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    const pauseAfterFailure = async (): Promise<number> => {
      const failedAt = Date.now();
      await end("a", new Error("no"));
      const seen = begun.length;
      while (begun.length === seen) await vi.advanceTimersByTimeAsync(500);
      return Date.now() - failedAt;
    };
    const pauses: number[] = [];
    for (let n = 0; n < 8; n++) pauses.push(await pauseAfterFailure());
    // A millisecond passes while a turn ends.
    expect(pauses).toEqual([1_001, 2_001, 4_001, 8_001, 16_001, 32_001, 60_001, 60_001]);
    await end("a");
    queue.add(run("a"), { delayMillis: 0 });
    await turn();
    expect(await pauseAfterFailure()).toBe(1_001);
  });

  it("survives work that throws before it returns a promise", async () => {
    let calls = 0;
    const { queue } = bench({
      work: () => {
        calls++;
        throw new Error("at once");
      },
    });
    queue.add(run("a"), { delayMillis: 0 });
    await vi.advanceTimersByTimeAsync(3_500);
    expect(calls).toBe(3);
  });

  it("never works on a run twice at once, though its own work touches it at once", async () => {
    let underWay = 0;
    let most = 0;
    let looks = 0;
    const { queue } = bench({
      work: async ([touched = run("")]) => {
        most = Math.max(most, ++underWay);
        if (++looks < 5) queue.add(touched, { delayMillis: 0 });
        await Promise.resolve();
        underWay--;
      },
    });
    queue.add(run("a"), { delayMillis: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect({ most, looks }).toEqual({ most: 1, looks: 5 });
  });

  it("is idle only when nothing waits and nothing is under way", async () => {
    const { queue, end } = bench();
    expect(await isIdle(queue)).toBe(true);
    queue.add(run("a"), { delayMillis: 100 });
    expect(await isIdle(queue)).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(await isIdle(queue)).toBe(false);
    await end("a");
    expect(await isIdle(queue)).toBe(true);
  });

  it("lets work finish at shutdown, drops what waits and takes nothing more", async () => {
    const { queue, runs, turn, end } = bench();
    queue.add(run("a"), { delayMillis: 0 });
    queue.add(run("waiting"), { delayMillis: 100 });
    await turn();
    let stopped = false;
    const stopping = queue.shutdown().then(() => (stopped = true));
    await turn();
    expect(stopped).toBe(false);
    await end("a");
    await stopping;
    queue.add(run("b"), { delayMillis: 0 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(runs()).toEqual(["a"]);
    expect(await isIdle(queue)).toBe(true);
    await queue.shutdown();
  });

  it("takes ninety thousand waiting runs without looking through all of them each time", async () => {
    vi.useRealTimers();
    let looked = 0;
    const queue = createRunQueue({
      scheduler: systemScheduler,
      work: async () => void looked++,
      onError: () => {},
      onOverflow: () => {},
      maxBatch: 1,
    });
    const began = performance.now();
    for (let n = 0; n < 90_000; n++) queue.add(run(`run-${n}`), { delayMillis: 60_000 });
    for (let n = 0; n < 1_000; n++) queue.add(run(`now-${n}`), { delayMillis: 0 });
    // 90,000 looks at up to 90,000 entries each took minutes.
    expect(performance.now() - began).toBeLessThan(30_000);
    await vi.waitFor(() => expect(looked).toBe(1_000), 60_000);
    await queue.shutdown();
  });
});
