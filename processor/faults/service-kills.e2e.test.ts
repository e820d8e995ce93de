import { expect, it, onTestFinished } from "vitest";
import { expectNothingLost } from "./testing/expect-nothing-lost.ts";
import { createFaultyService, type Life } from "./testing/faulty-service.ts";
import { KILL_POINTS, type KillPoint } from "./testing/kill-points.ts";

const ROUNDS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 12 : 1;
const RANDOM_PER_ROUND = 5;

/** How often a point is passed at most before the end: the later, the more there is on the way. */
const AT_MOST: Readonly<Partial<Record<KillPoint, number>>> = {
  "before ack": 60,
  "during insert": 4,
  "after insert": 4,
  "before checkpoint": 6,
  "after checkpoint": 6,
  "before segment delete": 1,
  "after segment delete": 1,
  "in recovery": 1,
  "in shutdown": 400,
};
const MANY = 30;

const upTo = (limit: number): number => 1 + Math.floor(Math.random() * limit);

it(
  `a service that is killed at chosen and at random moments, ${(KILL_POINTS.length + RANDOM_PER_ROUND) * ROUNDS} times, loses nothing it acknowledged`,
  { timeout: ROUNDS * 180_000 },
  async () => {
    const service = await createFaultyService();
    onTestFinished(() => service.remove());
    const lives: (Life & { readonly point: string })[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const point of KILL_POINTS) {
        lives.push({ point, ...(await service.live({ point, nth: upTo(AT_MOST[point] ?? MANY) })) });
      }
      for (let kill = 0; kill < RANDOM_PER_ROUND; kill++) {
        lives.push({ point: "random", ...(await service.live({ millis: upTo(500) })) });
      }
    }
    // Only a kill ends it: neither a start that fails on what the one before left, nor a crash of its own.
    expect(lives.filter((life) => !life.wasReady && !life.byItself)).toEqual([]);
    await expectNothingLost(service);
    console.log(summary(lives));
    const reached = new Set(lives.filter((life) => life.byItself).map((life) => life.point));
    expect([...reached].toSorted()).toEqual([...KILL_POINTS].toSorted());
  },
);

function summary(lives: readonly Life[]): string {
  const starts = lives.flatMap(({ startMillis }) => startMillis ?? []).toSorted((a, b) => a - b);
  const slowest = Math.round(starts.at(-1) ?? 0);
  return `${lives.length} kills; starts: median ${Math.round(starts[starts.length >> 1] ?? 0)} ms, slowest ${slowest} ms`;
}
