import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BadRuns } from "../clickhouse/monitor-rows.ts";
import type { Scheduler } from "../run/scheduler.ts";
import { createCursorFile } from "./cursor-file.ts";
import { createJournal } from "./journal.ts";
import { createMonitor, type Monitor } from "./monitor.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createStoreTargets } from "./store-targets.ts";
import { createMemoryStore, type MemoryStore } from "./testing/memory-store.ts";
import { canaryResult } from "./testing/samples.ts";

const DAY = 86_400_000;
const MAX_FIRING = 60;
let now: number;
let directory: string;
let store: MemoryStore;
let told: string[];
let collectors: { monitor: Monitor; outbox: Outbox }[];
beforeEach(async () => {
  now = 100 * DAY;
  directory = await mkdtemp(join(tmpdir(), "runproof-monitor-"));
  store = createMemoryStore();
  told = [];
  collectors = [];
  beat("a");
});
afterEach(async () => {
  await Promise.all(collectors.map(({ monitor }) => monitor.shutdown()));
  await rm(directory, { recursive: true, force: true });
});

/** Looks are taken when the test says so. */
const scheduler: Scheduler = { now: () => now, after: () => () => {}, breather: () => () => undefined };

const beat = (id: string, at = now): void => {
  store.beats = store.beats.filter(({ collector_id }) => collector_id !== id);
  store.beats.push({ collector_id: id, heard_at: at, stored_through: at, judged_through: at, state: "up" });
};

async function collector(id: string): Promise<Monitor> {
  const own = join(directory, id);
  const outbox = createOutbox({
    journal: createJournal({ directory: own, name: "outbox" }),
    targets: [
      ...createStoreTargets({ store: { ...store, insertLogs: async () => {} } }),
      {
        name: "webhook",
        async deliver({ key }) {
          told.push(key);
          return { status: "delivered" };
        },
      },
    ],
    backoff: { firstMillis: 1, lastMillis: 2 },
    now: () => now,
    onError: () => {},
  });
  const monitor = createMonitor({
    collectorId: id,
    store,
    outbox,
    cursor: createCursorFile(own),
    intervalMillis: 15_000,
    runWindowSeconds: 3_600,
    lookBackMillis: 30 * DAY,
    maxFiring: MAX_FIRING,
    scheduler,
    onError: () => {},
  });
  await monitor.start();
  collectors.push({ monitor, outbox });
  return monitor;
}

const settled = () =>
  vi.waitFor(() => expect(collectors.map(({ outbox }) => outbox.stats().pending)).toEqual(collectors.map(() => 0)), {
    timeout: 60_000,
  });

async function look(...monitors: Monitor[]): Promise<void> {
  for (const monitor of monitors) await monitor.look();
  await settled();
}

const bad = (changes: Partial<BadRuns> = {}): BadRuns => ({
  project: "shop",
  agent_name: "researcher",
  failure_class: "missing_artifact",
  code_version: "v1",
  first_bad_run_id: "run-1",
  first_bad_at: now - 600_000,
  last_bad_run_id: "run-2",
  last_bad_at: now - 1_000,
  last_received_at: now - 2_000,
  run_count: 2,
  ...changes,
});
const mended = () =>
  canaryResult({ slot: now - 500, observed_at: now - 100, interval_seconds: 900, fixture_state: "certified" });

describe("a monitor", () => {
  it("tells of a class once, however often it looks and is started again", async () => {
    store.bad = [bad()];
    const first = await collector("a");
    await look(first);
    await look(first);
    await first.shutdown();
    await look(await collector("a"));
    expect(told).toHaveLength(1);
    expect(store.inserted).toMatchObject([{ state: "firing", silent_failure_window_minutes: 10, run_count: 2 }]);
  });

  it("knows at once what it told", async () => {
    store.bad = [bad()];
    const monitor = await collector("a");
    await monitor.look();
    expect(monitor.state().reading?.alerts).toMatchObject([{ state: "firing" }]);
  });

  it("resolves by proof, tells that once, and begins anew when runs are bad after it", async () => {
    store.bad = [bad()];
    const monitor = await collector("a");
    await look(monitor);
    store.results = [mended()];
    await look(monitor);
    await look(monitor);
    expect(told.map((key) => key.split(":")[1])).toEqual(["firing", "resolved"]);
    now += 60_000;
    beat("a");
    store.bad = [bad()];
    await look(monitor);
    await look(monitor);
    expect(told.map((key) => key.split(":")[1])).toEqual(["firing", "resolved", "firing"]);
    expect(new Set(told).size).toBe(3);
    expect(store.inserted.at(-1)).toMatchObject({ episode: 2, state: "firing" });
  });

  it("does not resolve by silence", async () => {
    store.bad = [bad()];
    const monitor = await collector("a");
    await look(monitor);
    store.bad = [];
    for (let day = 0; day < 60; day++) {
      now += DAY;
      beat("a");
      await look(monitor);
    }
    expect(monitor.state().reading?.alerts).toMatchObject([{ state: "firing" }]);
    expect(told).toHaveLength(1);
  });

  it("is resolved by a person, who is remembered, and not twice", async () => {
    store.bad = [bad()];
    const monitor = await collector("a");
    await look(monitor);
    const id = store.inserted[0]!.alert_id;
    expect(await monitor.resolve(id, "ann", "rolled back")).toBe("resolved");
    await settled();
    expect(await monitor.resolve(id, "ann", "again")).toBe("not_firing");
    expect(await monitor.resolve("alert-x", "ann", "none")).toBe("unknown");
    await look(monitor);
    expect(store.inserted.at(-1)).toMatchObject({
      state: "resolved",
      resolved_by: "ann",
      resolve_reason: "rolled back",
    });
    expect(told).toHaveLength(2);
  });

  it("leaves the alerts to the least of the collectors that live, and takes over when that one is gone", async () => {
    beat("b");
    const [a, b] = [await collector("a"), await collector("b")];
    store.bad = [bad()];
    await look(b);
    expect([told, b.state().leading]).toEqual([[], false]);
    await look(a, b);
    expect([told.length, a.state().leading]).toEqual([1, true]);
    now += 11_000;
    beat("b");
    store.bad = [bad(), bad({ failure_class: "timeout" })];
    await look(b);
    expect([told.length, b.state().leading]).toEqual([2, true]);
  });

  it("says the same under the same id where two collectors think that they lead", async () => {
    const [a, b] = [await collector("a"), await collector("b")];
    store.bad = [bad()];
    await a.look();
    store.beats = [];
    beat("b");
    await b.look();
    await settled();
    expect(new Set(told).size).toBe(1);
    expect(store.inserted).toHaveLength(1);
  });

  it("keeps its last figures and says what is wrong while the store is away, and tells what it missed", async () => {
    const monitor = await collector("a");
    await look(monitor);
    const { readAt } = monitor.state().reading!;
    now += 5_000;
    store.broken = true;
    store.bad = [bad()];
    await look(monitor);
    expect(monitor.state()).toMatchObject({ reading: { readAt }, problem: "the store is away" });
    store.broken = false;
    beat("a");
    await look(monitor);
    expect(monitor.state().problem).toBeUndefined();
    expect(told).toHaveLength(1);
  });

  it("raises no more alerts than anybody looks at, and says so", async () => {
    const monitor = await collector("a");
    store.bad = Array.from({ length: MAX_FIRING + 10 }, (_none, index) => bad({ code_version: `v${index}` }));
    for (let index = 0; index < 3; index++) await monitor.look();
    expect(monitor.state().alerting).toBe("there are too many alerts");
    expect(monitor.state().reading?.alerts).toHaveLength(MAX_FIRING);
    await vi.waitFor(() => expect(told).toHaveLength(MAX_FIRING), { timeout: 60_000 });
  });
});
