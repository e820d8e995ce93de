import { beforeEach, describe, expect, it } from "vitest";
import { createCollectorHeartbeat, type CollectorHeartbeatOptions } from "./collector-heartbeat.ts";
import { createMemoryRunStore, type MemoryRunStore } from "./testing/memory-run-store.ts";
import { createVirtualScheduler, type VirtualScheduler } from "./testing/virtual-scheduler.ts";

const START = 1_000_000_000;
const MINUTE = 60_000;

describe("the collector's heartbeat", () => {
  let scheduler: VirtualScheduler;
  let store: MemoryRunStore;
  let storedThrough: number;
  const errors: string[] = [];
  beforeEach(() => {
    scheduler = createVirtualScheduler(START);
    store = createMemoryRunStore(scheduler.now);
    storedThrough = Infinity;
    errors.length = 0;
  });

  const collector = (collectorId: string, options: Partial<CollectorHeartbeatOptions> = {}) =>
    createCollectorHeartbeat({
      collectorId,
      store,
      storedThrough: () => Math.min(scheduler.now(), storedThrough),
      judgedThrough: scheduler.now,
      scheduler,
      onError: (what) => errors.push(what),
      ...options,
    });
  const later = (millis: number): Promise<void> => scheduler.runUntil(scheduler.now() + millis);
  const gaps = (): number[][] => store.gaps.map((gap) => [gap.started_at - START, gap.ended_at - START]);

  it("knows of no gap on a first start, and clears what is stored", async () => {
    const heart = collector("a");
    await heart.start();
    expect(await heart.clearance()).toEqual({ gaps: [], storedThrough: START });
    expect(gaps()).toEqual([]);
  });

  it("notes the time since anybody's last beat before its own first, and clears nothing for a while", async () => {
    const first = collector("a");
    await first.start();
    await later(10_000);
    await first.shutdown();
    await later(10 * MINUTE);
    const heart = collector("b");
    await heart.start();
    expect(gaps()).toEqual([[10_000, 10 * MINUTE + 10_000]]);
    expect(await heart.clearance()).toBeUndefined();
    await later(30_000);
    expect((await heart.clearance())?.gaps).toHaveLength(1);
  });

  it("takes the absence of one of two for no gap", async () => {
    const stays = collector("stays");
    const goes = collector("goes");
    await stays.start();
    await goes.start();
    await goes.shutdown();
    await later(10 * MINUTE);
    await collector("goes").start();
    expect(gaps()).toEqual([]);
  });

  it("notes a store that was away, and clears nothing meanwhile", async () => {
    let isAway = false;
    const beatsSince: MemoryRunStore["beatsSince"] = async (since) => {
      if (isAway) throw new Error("away");
      return store.beatsSince(since);
    };
    const insertBeat: MemoryRunStore["insertBeat"] = async (beat) => {
      if (isAway) throw new Error("away");
      await store.insertBeat(beat);
    };
    const shaky = { ...store, beatsSince, insertBeat };
    const heart = collector("a", { store: shaky });
    await heart.start();
    await later(2_000);
    isAway = true;
    await later(5 * MINUTE);
    expect(await heart.clearance()).toBeUndefined();
    expect(errors.length).toBeGreaterThan(10);
    isAway = false;
    await later(2_000);
    expect(gaps()).toEqual([[2_000, 5 * MINUTE + 4_000]]);
  });

  it("counts a time in which nothing can come in as a gap", async () => {
    let receiving = true;
    await collector("a", { receiving: () => receiving }).start();
    receiving = false;
    await later(MINUTE);
    receiving = true;
    await later(2_000);
    expect(gaps()).toEqual([[0, MINUTE + 2_000]]);
  });

  it("holds back for what a live collector has not stored, until that is silent for long", async () => {
    const heart = collector("a");
    await heart.start();
    const stuck = { collector_id: "stuck", heard_at: START, stored_through: START - 5, judged_through: START - 5 };
    await store.insertBeat({ ...stuck, state: "up" });
    await later(59_000);
    expect((await heart.clearance())?.storedThrough).toBe(START - 5);
    await later(2_000);
    expect((await heart.clearance())?.storedThrough).toBe(START + 61_000);
  });

  it("does not wait for one that left with everything stored", async () => {
    const heart = collector("a");
    const other = collector("b");
    await heart.start();
    await other.start();
    await other.shutdown();
    await later(20_000);
    expect((await heart.clearance())?.storedThrough).toBe(START + 20_000);
  });

  it("leaves as one that is only away when something is unstored", async () => {
    const heart = collector("a");
    await heart.start();
    storedThrough = START - 1_000;
    await heart.shutdown();
    await heart.shutdown();
    expect(await store.beatsSince(0)).toMatchObject([{ state: "up", stored_through: START - 1_000 }]);
  });

  it("fails to start when the store does", async () => {
    const broken = { ...store, insertBeat: () => Promise.reject(new Error("away")) };
    await expect(collector("a", { store: broken }).start()).rejects.toThrow("away");
  });
});
