import { expect, it } from "vitest";

import { createRestartSpacing } from "./restart-spacing.ts";

it("allows the first restart at once and the next ones after 5, 10, 20, 40 and then 60 seconds", () => {
  let time = 0;
  const spacing = createRestartSpacing(() => time);
  const waits: number[] = [];
  for (let restart = 0; restart < 7; restart++) {
    const since = time;
    while (!spacing.allows()) time += 1_000;
    waits.push((time - since) / 1_000);
    spacing.count();
  }
  expect(waits).toEqual([0, 5, 10, 20, 40, 60, 60]);
});

it("begins anew when there was no restart for ten minutes", () => {
  let time = 0;
  const spacing = createRestartSpacing(() => time);
  for (let restart = 0; restart < 5; restart++) spacing.count();
  time += 601_000;
  spacing.count();
  time += 5_000;
  expect(spacing.allows()).toBe(true);
});
