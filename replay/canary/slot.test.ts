import { expect, test } from "vitest";
import { phaseOf, roundIdOf, slotAt } from "./slot.ts";

test("a slot is the newest point of the grid", () => {
  const grid = { everyMillis: 900, phaseMillis: 100 };
  expect([99, 100, 999, 1_000].map((now) => slotAt(now, grid))).toEqual([-800, 100, 100, 1_000]);
});

test("a host has one phase for each tier, and hosts differ", () => {
  const spread = { everyMillis: 900_000, jitter: 0.1 };
  const hosts = Array.from({ length: 200 }, (_, i) => phaseOf(`host-${i}`, "critical", spread));
  expect(phaseOf("host-7", "critical", spread)).toBe(hosts[7]);
  expect(Math.min(...hosts)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...hosts)).toBeLessThan(90_000);
  expect(new Set(hosts).size).toBeGreaterThan(190);
  expect(phaseOf("host-7", "broad", spread)).not.toBe(hosts[7]);
  expect(phaseOf("host-7", "critical", { ...spread, jitter: 0 })).toBe(0);
});

test("a round is named by tier and slot", () => {
  expect(roundIdOf("critical", 900_000)).toBe("critical@1970-01-01T00:15:00.000Z");
});
