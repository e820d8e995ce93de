import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mapBounded } from "../../../instrumentation/run/map-bounded.ts";
import type { Fixture } from "../../fixture/fixture-format.ts";
import { plannedAgent, plannedFixture } from "../../testing/planned/planned-fixture.ts";
import { replayFixture, type ReplayOptions } from "../../worker/replay-fixture.ts";
import type { ReplayResult } from "../../worker/replay-result.ts";
import { type ChildPool, createChildPool } from "../child-pool.ts";

const setting = (name: string, short: number, long: number): number =>
  Number(process.env[`RUNPROOF_DETERMINISM_${name}`] ?? (process.env["RUNPROOF_LONG_TESTS"] === "1" ? long : short));

/** The long version is 100 by 100. A process of the pool serves several replays; one of each fixture is forked anew. */
const FIXTURES = setting("FIXTURES", 5, 100);
const REPLAYS = setting("REPLAYS", 6, 100);
const USES = setting("USES", 4, 25);
const AT_ONCE = setting("AT_ONCE", 2, 3);
const HANG_MILLIS = 120_000;

const ZONES = ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"];
const LOCALES = ["C.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8"];

const agent = { module: plannedAgent, exportName: "default", passEnvironment: ["SHUFFLE"] };
const path = process.env["PATH"];

const replay = (fixture: Fixture, shuffle: number, options: Partial<ReplayOptions> = {}): Promise<ReplayResult> => {
  const zone = ZONES[shuffle % ZONES.length];
  process.env["TZ"] = zone;
  const locale = LOCALES[shuffle % LOCALES.length];
  const environment = { PATH: path, TZ: zone, LC_ALL: locale, SHUFFLE: `${fixture.id} ${shuffle}` };
  return replayFixture(fixture, agent, { environment, storeUrl: null, timeoutMillis: HANG_MILLIS, ...options });
};

let pool: ChildPool;
let load: Worker;
beforeAll(() => {
  pool = createChildPool({ size: AT_ONCE, usesPerChild: USES, environment: { PATH: path } });
  load = new Worker("for (;;);", { eval: true });
});
afterAll(async () => {
  await load.terminate();
  await pool.close();
});

const faultsOf = ({ agent: ended, outcome, cassette }: ReplayResult): unknown => ({
  ended,
  outcome,
  misses: cassette.misses.length,
  unused: cassette.unused.length,
});
const FAULTLESS = { ended: { type: "returned" }, outcome: "reproduced", misses: 0, unused: 0 };

describe("replays under load, in other orders, with other pauses, in other time zones", () => {
  test.for(Array.from({ length: FIXTURES }, (_, seed) => seed))(
    "of plan %i get their own answers and have one transcript",
    { timeout: HANG_MILLIS * 10 },
    async (seed) => {
      const fixture = await plannedFixture(seed);
      const results = await mapBounded(
        Array.from({ length: REPLAYS }, (_, i) => i),
        AT_ONCE,
        (i) => replay(fixture, i, i === 0 ? {} : { runAgent: (options) => pool.run(options) }),
      );
      // The agent throws at an answer that belongs to another place.
      expect(results.map(faultsOf)).toEqual(results.map(() => FAULTLESS));
      expect(new Set(results.map((it) => it.transcriptSha256)).size).toBe(1);
    },
  );
});

test("a transcript holds the random values and the time: with another seed, or another start, it is another one", async () => {
  const fixture = await plannedFixture(0);
  const started = { ...fixture.input.environment, started_at: "2001-02-03T04:05:06.789Z" };
  const results = [
    await replay(fixture, 1),
    await replay({ ...fixture, id: "another_seed" }, 1),
    await replay({ ...fixture, input: { ...fixture.input, environment: started } }, 1),
  ];
  expect(results.map(faultsOf)).toEqual(results.map(() => FAULTLESS));
  expect(new Set(results.map((it) => it.transcriptSha256)).size).toBe(3);
});
