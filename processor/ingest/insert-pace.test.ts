import { describe, expect, it } from "vitest";
import { createInsertPace } from "./insert-pace.ts";

const paceAt = (clock: { now: number }) => createInsertPace({ burst: 3, perSecond: 2, now: () => clock.now });

describe("the pace of inserts", () => {
  it("lets a quiet service store at once, then spaces inserts evenly", () => {
    const clock = { now: 1_000 };
    const pace = paceAt(clock);
    const waits = Array.from({ length: 6 }, () => {
      const wait = pace.waitMillis();
      clock.now += wait;
      pace.take();
      return wait;
    });
    expect(waits).toEqual([0, 0, 0, 500, 500, 500]);
  });

  it("saves up no more than a burst", () => {
    const clock = { now: 0 };
    const pace = paceAt(clock);
    clock.now = 3_600_000;
    for (let index = 0; index < 3; index++) pace.take();
    expect(pace.waitMillis()).toBe(500);
  });

  it("holds nothing against the future when full batches did not wait", () => {
    const clock = { now: 0 };
    const pace = paceAt(clock);
    for (let index = 0; index < 100; index++) pace.take();
    expect(pace.waitMillis()).toBe(500);
  });
});
