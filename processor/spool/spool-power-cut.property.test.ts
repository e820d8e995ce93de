import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSpool, type Spool } from "./spool.ts";
import { recordOf, idsOf } from "./testing/records.ts";
import { createVolatileFs, type VolatileFs } from "./testing/volatile-fs.ts";

/*
 * A kill leaves the page cache, so it cannot show a missing fsync. This disk forgets what was not synced, page by page and
 * name by name, which is what a power cut does.
 */

type Step =
  | { readonly do: "append"; readonly count: number; readonly bytes: number }
  | { readonly do: "consume"; readonly maxBytes: number; readonly commit: boolean }
  | { readonly do: "failSync" }
  | { readonly do: "wait" }
  | { readonly do: "powerCut"; readonly turns: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      count: fc.integer({ min: 1, max: 8 }),
      bytes: fc.integer({ min: 0, max: 3_000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("consume" as const),
      maxBytes: fc.integer({ min: 1, max: 6_000 }),
      commit: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("failSync" as const, "wait" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("powerCut" as const), turns: fc.integer({ min: 0, max: 40 }) }) },
);

interface World {
  readonly fs: VolatileFs;
  spool: Spool;
  next: number;
  readonly acknowledged: Set<string>;
  readonly stored: Map<string, string>;
  inFlight: Promise<unknown>[];
}

const open = async (fs: VolatileFs): Promise<Spool> => {
  const spool = createSpool({ directory: "/d", segmentBytes: 8_000, fs: fs.mount(), onError: () => {}, now: () => 0 });
  await spool.start();
  return spool;
};

function append(world: World, count: number, bytes: number): void {
  for (let index = 0; index < count; index++) {
    const id = `r${world.next++}`;
    const lane = index % 3 === 0 ? "priority" : "bulk";
    const answer = world.spool.append(recordOf(id, { bytes, lane }));
    world.inFlight.push(answer.then((outcome) => outcome === "durable" && world.acknowledged.add(id)));
  }
}

async function consume(world: World, maxBytes: number, commit: boolean): Promise<boolean> {
  const batch = await world.spool.read(maxBytes);
  if (batch === undefined) return false;
  const content = idsOf(batch).join();
  // A store that drops repetitions by name: another content under a known name would be lost.
  expect(world.stored.get(batch.name) ?? content).toBe(content);
  world.stored.set(batch.name, content);
  await (commit ? world.spool.commit(batch) : world.spool.release(batch));
  return true;
}

async function powerCut(world: World, turns: number, chance: () => number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  world.fs.powerCut(chance);
  await Promise.all(world.inFlight);
  world.inFlight = [];
  await world.spool.shutdown();
  for (const name of await world.fs.list("/d")) if (name.startsWith("lock-")) await world.fs.remove(`/d/${name}`);
  world.spool = await open(world.fs);
}

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => vi.useRealTimers());

it("loses nothing acknowledged when the power goes, whatever was not synced", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (steps, dice) => {
        const fs = createVolatileFs();
        const world: World = {
          fs,
          spool: await open(fs),
          next: 0,
          acknowledged: new Set(),
          stored: new Map(),
          inFlight: [],
        };
        const chance = () => dice.next().value as number;
        for (const one of steps) {
          if (one.do === "append") append(world, one.count, one.bytes);
          else if (one.do === "consume") await consume(world, one.maxBytes, one.commit);
          else if (one.do === "failSync") fs.failNextSync((path) => path.endsWith(".wal"));
          else if (one.do === "wait") await vi.advanceTimersByTimeAsync(300);
          else await powerCut(world, one.turns, chance);
        }
        await powerCut(world, 3, chance);
        while (await consume(world, 4_000, true));
        const stored = new Set([...world.stored.values()].flatMap((ids) => ids.split(",")));
        expect([...world.acknowledged].filter((id) => !stored.has(id))).toEqual([]);
        await world.spool.shutdown();
      },
    ),
    { numRuns: 500 },
  );
});
