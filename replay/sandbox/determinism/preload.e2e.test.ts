import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { childEnvironment } from "../child-environment.ts";
import type { FixtureWorld } from "./world-of-fixture.ts";

const probe = fileURLToPath(new URL("../../testing/agents/world-probe.ts", import.meta.url));
const START = Date.UTC(2025, 9, 9, 8, 53, 20, 123);

interface Random {
  readonly number: readonly number[];
  readonly [source: string]: readonly unknown[];
}
interface Seen {
  readonly times: Readonly<Record<string, unknown>>;
  readonly random: Random;
  /** Threads: three of the probe itself, and one that evaluates a text. */
  readonly started: readonly (Seen | readonly [number, number])[];
  readonly processes: readonly (readonly [number, number])[];
}

async function look(world: Partial<FixtureWorld> = {}): Promise<Seen> {
  const env = childEnvironment({
    parent: { PATH: process.env["PATH"] },
    passEnvironment: [],
    otlpUrl: "http://127.0.0.1:9",
    fixtureId: "f",
    project: "",
    serviceName: "",
    baseFolder: "/nonexistent",
    world: { startUnixMillis: START, seed: "s", ...world },
  });
  const { stdout } = await promisify(execFile)(process.execPath, [probe], { env });
  return JSON.parse(stdout) as Seen;
}

let seen: Seen;
beforeAll(async () => {
  seen = await look();
});

describe("a process of a replay", () => {
  test("sees every clock stand at the start of the recorded run", () => {
    expect(seen.times).toMatchObject({
      now: START,
      date: "2025-10-09T08:53:20.123Z",
      text: "Thu Oct 09 2025 08:53:20 GMT+0000 (Coordinated Universal Time)",
      subclass: START,
      given: "2020-02-03T04:05:00.000Z",
      isDate: true,
      performance: [START, 1_000, 1_000],
      measured: [0, 1_000],
      hrtime: [[1_760_000_000, 123_000_000], [1_759_999_995, 123_000_000], "1760000000123000000", 1],
      zone: "UTC",
    });
    expect(JSON.stringify(seen.times["intl"])).toMatch(/10\/9\/2025.*"08".*"53".*"20"/);
    const { temporal } = seen.times;
    if (temporal !== null) {
      const local = "2025-10-09T08:53:20.123";
      expect(temporal).toEqual([`${local}Z`, `${local}+00:00[UTC]`, local, "2025-10-09", "08:53:20.123"]);
    }
  });

  test("draws the same random values each time, and others from another seed", async () => {
    expect(await look()).toEqual(seen);
    const other = await look({ seed: "t" });
    expect(other.times).toEqual(seen.times);
    for (const source of Object.keys(seen.random)) expect(other.random[source]).not.toEqual(seen.random[source]);
  });

  test("draws values that look like random ones", () => {
    const { number, uuid, integer, filled } = seen.random;
    for (const one of number) expect(one).toBeGreaterThanOrEqual(0);
    for (const one of uuid ?? [])
      expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(integer?.[1]).toBeOneOf([5, 6]);
    expect(filled?.[0]).toMatch(/^0,\d+,\d+,0$/);
    expect(filled?.[1]).toMatch(/^0,0,\d+,\d+,\d+,0$/);
  });

  test("hands its world to threads and processes, however it starts them, and none draws what another does", () => {
    const threads = seen.started.slice(0, 3) as readonly Seen[];
    for (const thread of threads) expect(thread.times).toEqual(seen.times);
    const brief = [...seen.started.slice(3), ...seen.processes] as readonly (readonly [number, number])[];
    expect(brief.map(([now]) => now)).toEqual(Array.from({ length: 5 }, () => START));
    const numbers = [seen, ...threads].map(({ random }) => random.number[0]);
    expect(new Set([...numbers, ...brief.map(([, number]) => number)]).size).toBe(9);
  });

  test("has the time zone and the locale of the recording", async () => {
    const { times } = await look({ timeZone: "America/St_Johns", locale: "de-DE" });
    expect(times).toMatchObject({ now: START, zone: "America/St_Johns", given: "2020-02-03T07:35:00.000Z" });
    expect(times["text"]).toContain("06:23:20 GMT-0230");
    expect(JSON.stringify(times["intl"])).toContain("9.10.2025");
  });
});
