import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MonitorGapRow, RunRow } from "../clickhouse/run-rows.ts";
import { runRow } from "../clickhouse/testing/row-samples.ts";
import type { Clearance } from "./collector-heartbeat.ts";
import { mergedGaps, pausedMillis } from "./monitor-gaps.ts";
import { createWatchdog, type Watchdog, type WatchdogOptions } from "./watchdog.ts";

const START = 1_000_000;

/** A watchdog over runs in a list: overdue are those of it whose deadline passed. */
function bench(runs: readonly RunRow[], options: Partial<WatchdogOptions> = {}) {
  const abandoned: string[] = [];
  const errors: string[] = [];
  const dog = createWatchdog({
    overdue: async ({ now, from, after }) => {
      if (after !== undefined) return [];
      return runs.filter((run) => run.deadline_at < now && run.deadline_at >= from && !abandoned.includes(run.run_id));
    },
    abandon: (run) => void abandoned.push(run.run_id),
    clearance: async () => clear(),
    scanMillis: 1_000,
    quietMillis: 0,
    onError: (what) => errors.push(what),
    ...options,
  });
  dogs.push(dog);
  return { dog, abandoned, errors };
}
const clear = (gaps: readonly MonitorGapRow[] = []): Clearance => ({ gaps, storedThrough: Infinity });
const dogs: Watchdog[] = [];
const due = (runId: string, deadlineAt: number, receivedAt = START): RunRow =>
  runRow({ run_id: runId, received_at: receivedAt, deadline_at: deadlineAt });
const gap = (startedAt: number, endedAt: number): MonitorGapRow => ({
  started_at: startedAt,
  ended_at: endedAt,
  reason: "",
});

describe("the watchdog", () => {
  beforeEach(() => vi.useFakeTimers({ now: START }));
  afterEach(async () => {
    for (const dog of dogs.splice(0)) await dog.shutdown();
    vi.useRealTimers();
  });

  it("leaves a run alone up to its deadline and closes it after", async () => {
    const { dog, abandoned } = bench([due("a", START + 5_000)]);
    await dog.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(abandoned).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(abandoned).toEqual(["a"]);
  });

  it("declares nobody dead in its quiet time", async () => {
    const { dog, abandoned } = bench([due("a", START - 100_000)], { quietMillis: 30_000 });
    await dog.start();
    await vi.advanceTimersByTimeAsync(29_999);
    expect({ abandoned, scanned: dog.lastScanAt() }).toEqual({ abandoned: [], scanned: null });
    await vi.advanceTimersByTimeAsync(1);
    expect({ abandoned, scanned: dog.lastScanAt() }).toEqual({ abandoned: ["a"], scanned: START + 30_000 });
  });

  it("lets deadlines stand still while the monitor was away", async () => {
    const run = due("a", START + 5_000);
    const { dog, abandoned } = bench([run], { clearance: async () => clear([gap(START + 1_000, START + 11_000)]) });
    vi.setSystemTime(START + 15_000);
    await dog.scan();
    expect(abandoned).toEqual([]);
    vi.setSystemTime(START + 15_001);
    await dog.scan();
    expect(abandoned).toEqual(["a"]);
  });

  it("gives nobody up while an end may lie unstored with a collector, and all once it is stored", async () => {
    let storedThrough = START + 4_999;
    const { dog, abandoned } = bench([due("a", START + 5_000)], {
      clearance: async () => ({ gaps: [], storedThrough }),
    });
    vi.setSystemTime(START + 50_000);
    await dog.scan();
    expect(abandoned).toEqual([]);
    storedThrough = START + 5_001;
    await dog.scan();
    expect(abandoned).toEqual(["a"]);
  });

  it("concludes nothing without clearance, and does not claim to have scanned", async () => {
    const { dog, abandoned } = bench([due("a", START - 5_000)], { clearance: async () => undefined });
    await dog.scan();
    expect({ abandoned, scanned: dog.lastScanAt() }).toEqual({ abandoned: [], scanned: null });
  });

  it("reads on past a page full of runs that may not be given up yet", async () => {
    const early = due("paused", START - 2_000, START - 100_000);
    const late = due("b", START - 1_000, START - 5_000);
    const { dog, abandoned } = bench([], {
      overdue: async ({ after }) => (after === undefined ? [early] : after === early ? [late] : []),
      clearance: async () => clear([gap(START - 90_000, START - 50_000)]),
    });
    await dog.scan();
    expect(abandoned).toEqual(["b"]);
  });

  it("goes on after an error of the store, and says when it last saw everything", async () => {
    let broken = true;
    const { dog, abandoned, errors } = bench([], {
      overdue: async (page) => {
        if (broken) throw new Error("the store is away");
        return page.after === undefined ? [due("a", START)] : [];
      },
    });
    await dog.start();
    await vi.advanceTimersByTimeAsync(3_000);
    expect({ abandoned, scanned: dog.lastScanAt() }).toEqual({ abandoned: [], scanned: null });
    broken = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(abandoned.length).toBeGreaterThan(0);
    expect(errors.length).toBeGreaterThan(1);
    expect(dog.lastScanAt()).toBe(START + 4_000);
  });

  it("closes the others when one cannot be closed", async () => {
    const closed: string[] = [];
    const { dog, errors } = bench([due("broken", START - 2), due("b", START - 1)], {
      abandon: async (run) => {
        if (run.run_id === "broken") throw new Error("no");
        closed.push(run.run_id);
      },
    });
    await dog.scan();
    expect(closed).toEqual(["b"]);
    expect(errors).toEqual(["closing the abandoned run broken"]);
  });

  it("scans one at a time and waits for the scan at shutdown", async () => {
    const slow = Promise.withResolvers<RunRow[]>();
    let scans = 0;
    const { dog } = bench([], {
      overdue: () => {
        scans++;
        return slow.promise;
      },
    });
    await dog.start();
    await vi.advanceTimersByTimeAsync(10_000);
    void dog.scan();
    expect(scans).toBe(1);
    let stopped = false;
    const stopping = dog.shutdown().then(() => (stopped = true));
    await vi.advanceTimersByTimeAsync(0);
    expect(stopped).toBe(false);
    slow.resolve([]);
    await stopping;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(scans).toBe(1);
  });
});

describe("gaps of the monitor", () => {
  it("count once where several collectors noted them", () => {
    const merged = mergedGaps([gap(300, 400), gap(0, 100), gap(50, 200), gap(200, 210)]);
    expect(merged.map((one) => [one.started_at, one.ended_at])).toEqual([
      [0, 210],
      [300, 400],
    ]);
  });
});

describe("the time a run's deadline stands still", () => {
  it("counts only gaps after the run was received", () => {
    const run = { received_at: 100 };
    expect(pausedMillis(run, [])).toBe(0);
    expect(pausedMillis(run, [gap(0, 50)])).toBe(0);
    expect(pausedMillis(run, [gap(0, 150)])).toBe(50);
    expect(pausedMillis(run, [gap(0, 150), gap(200, 300)])).toBe(150);
  });
});
