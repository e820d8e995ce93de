import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterStep, nextStep, type Progress, type Step } from "./schedule.ts";
import { slotAt } from "./slot.ts";

/** What happens to a machine while the schedule runs. All in seconds. */
type Event =
  | { readonly kind: "jump"; readonly by: number }
  /** The process is gone for so long; what ran is lost. */
  | { readonly kind: "down"; readonly for: number };

interface World {
  readonly every: number;
  readonly phase: number;
  /** An event, and how long after the one before. */
  readonly events: readonly (readonly [number, Event])[];
  /** How long the rounds take, one after another. */
  readonly rounds: readonly number[];
}

interface Started {
  readonly slot: number;
  readonly due: number;
}

interface Lived {
  readonly started: readonly Started[];
  /** Longest time without a round since one could have begun, or since the clock was last set back. */
  readonly longestWait: number;
  /** Slots dealt with, by what became of them; without what was lost with a process. */
  readonly counted: number;
  readonly firstSlot: number;
  readonly lastSlot: number;
}

const TICK = 10;

/** The schedule in a machine whose clock is set and whose processes die: the loop of the scheduler, without its timers. */
function live({ every, phase, events, rounds }: World): Lived {
  const grid = { everyMillis: every, phaseMillis: phase };
  const started: Started[] = [];
  let progress: Progress = { lastSlot: null, runningSlot: null };
  let [kept, offset, endsAt, idleSince, longestWait] = [null as number | null, 1_000_000, 0, 0, 0];
  // Counts are those of a finished round only once it is finished: a process that dies takes the others along.
  let [counted, pending] = [0, 0];
  let firstSlot: number | undefined;
  let mono = 0;

  const take = (step: Step): void => {
    progress = afterStep(progress, step);
    if (step.type === "skip") pending += step.skipped;
    if (step.type !== "start") return;
    if (endsAt !== 0) throw new Error("two rounds at once");
    firstSlot ??= step.slot;
    pending += 1 + step.missed;
    const due = slotAt(mono + offset, grid);
    started.push({ slot: step.slot, due });
    endsAt = mono + Math.max(1, rounds[started.length % rounds.length] ?? 1);
  };
  const advance = (): void => {
    let step: Step;
    do take((step = nextStep(grid, progress, mono + offset)));
    while (step.type !== "wait");
    if (step.until <= mono + offset) throw new Error("waits for the past");
  };
  const tick = (): void => {
    if (endsAt > 0 && mono >= endsAt) {
      advance();
      [kept, endsAt, idleSince] = [progress.lastSlot, 0, mono];
      [counted, pending] = [counted + pending, 0];
      progress = { ...progress, runningSlot: null };
    }
    advance();
    if (endsAt === 0) longestWait = Math.max(longestWait, mono - idleSince);
  };
  const happen = (event: Event): void => {
    if (event.kind === "jump") {
      offset += event.by;
      if (event.by < 0) idleSince = mono;
      return;
    }
    mono += event.for;
    [endsAt, idleSince, pending] = [0, mono, 0];
    progress = { lastSlot: kept, runningSlot: null };
    if (kept === null) firstSlot = undefined;
  };
  for (const [after, event] of events) {
    for (const until = mono + after; mono < until; mono += TICK) tick();
    happen(event);
  }
  tick();
  const total = { counted: counted + pending, firstSlot: firstSlot ?? 0, lastSlot: progress.lastSlot ?? 0 };
  return { started, longestWait, ...total };
}

const seconds = (max: number) => fc.integer({ min: 1, max });
const forwards: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("down" as const), for: seconds(20_000) }),
  // A machine that sleeps is a clock that jumps.
  fc.record({ kind: fc.constant("jump" as const), by: seconds(20_000) }),
);
const anyway: fc.Arbitrary<Event> = fc.oneof(
  forwards,
  fc.record({ kind: fc.constant("jump" as const), by: fc.integer({ min: -50_000, max: -1 }) }),
);

const worlds = (event: fc.Arbitrary<Event>): fc.Arbitrary<World> =>
  fc.integer({ min: 60, max: 3_600 }).chain((every) =>
    fc.record({
      every: fc.constant(every),
      phase: fc.integer({ min: 0, max: every - 1 }),
      events: fc.array(fc.tuple(seconds(5_000), event), { minLength: 1, maxLength: 25 }),
      rounds: fc.array(fc.oneof(seconds(60), seconds(8_000)), { minLength: 1, maxLength: 5 }),
    }),
  );

const numRuns = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 20_000 : 400;

describe("nextStep", () => {
  test("deals with every slot once: started, missed or skipped, and always starts the newest", () => {
    const run = (world: World): void => {
      const { started, counted, firstSlot, lastSlot } = live(world);
      expect(started.length).toBeGreaterThan(0);
      expect(counted).toBe((lastSlot - firstSlot) / world.every + 1);
      for (const { slot, due } of started) expect(slot).toBe(due);
    };
    fc.assert(fc.property(worlds(forwards), run), { numRuns });
  });

  test("is never silent for longer than two intervals, wherever the clock jumps", () => {
    const run = (world: World): void => {
      expect(live(world).longestWait).toBeLessThanOrEqual(2 * world.every + TICK);
    };
    fc.assert(fc.property(worlds(anyway), run), { numRuns });
  });

  test("makes up for any down time with exactly one round, which knows how many slots went by", () => {
    const run = (every: number, phase: number, down: number): void => {
      const grid = { everyMillis: every, phaseMillis: phase % every };
      const last = slotAt(10_000_000, grid);
      const step = nextStep(grid, { lastSlot: last, runningSlot: null }, last + down);
      if (down < every) {
        expect(step).toEqual({ type: "wait", until: last + every });
        return;
      }
      const missed = Math.floor(down / every) - 1;
      expect(step).toEqual({ type: "start", slot: last + (missed + 1) * every, missed });
      const then = { ...afterStep({ lastSlot: last, runningSlot: null }, step), runningSlot: null };
      expect(nextStep(grid, then, last + down)).toMatchObject({ type: "wait" });
    };
    fc.assert(fc.property(seconds(5_000), fc.nat(5_000), fc.nat(1_000_000), run), { numRuns });
  });

  test("goes on from a slot of another interval", () => {
    const run = (every: number, last: number, now: number): void => {
      const grid = { everyMillis: every, phaseMillis: 0 };
      const step = nextStep(grid, { lastSlot: last, runningSlot: null }, now);
      if (step.type === "wait")
        expect(nextStep(grid, { lastSlot: last, runningSlot: null }, step.until).type).toBe("start");
      else expect(step.type === "start" && step.missed >= 0 && step.slot === slotAt(now, grid)).toBe(true);
    };
    fc.assert(fc.property(seconds(5_000), fc.nat(100_000), fc.nat(100_000), run), { numRuns });
  });

  test("starts at once when the clock was set back by more than an interval, and waits when by less", () => {
    const grid = { everyMillis: 100, phaseMillis: 0 };
    const progress = { lastSlot: 1_000, runningSlot: null };
    expect(nextStep(grid, progress, 899)).toEqual({ type: "start", slot: 800, missed: 0 });
    expect(nextStep(grid, progress, 900)).toEqual({ type: "wait", until: 1_100 });
  });
});
