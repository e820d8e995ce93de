import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServiceFixture, type ServiceFixture, workFolder } from "../../processor/testing/running-service.ts";
import { SEEDS } from "./seeds.ts";

const run = promisify(execFile);
const FLEET = fileURLToPath(new URL("main.ts", import.meta.url));
const CLI = fileURLToPath(new URL("../../replay/cli.ts", import.meta.url));

let fixture: ServiceFixture;
let clickhouseUrl = "";
beforeAll(async () => void (fixture = await createServiceFixture()));
afterAll(() => fixture.close());

interface Replayed {
  readonly fixture_id: string;
  readonly replay: { readonly result: string };
}

const told = ({ agent, failureClass }: { readonly agent: string; readonly failureClass: string }): string =>
  `${agent} ${failureClass}`;

describe("the seeds of the fleet", () => {
  test("are 20, of at least 8 classes, and no two are one alert", () => {
    expect(SEEDS).toHaveLength(20);
    expect(new Set(SEEDS.map(({ failureClass }) => failureClass)).size).toBeGreaterThanOrEqual(8);
    expect(new Set(SEEDS.map(told)).size).toBe(20);
  });

  test("each end well for their user, and as a failed run of their class at the service", async () => {
    const service = await fixture.start();
    clickhouseUrl = service.clickhouseUrl;
    const { stdout } = await run(process.execPath, [FLEET], { env: environment() });
    expect(stdout.trim().split("\n")).toHaveLength(20);
    await service.idle();
    const runs = await fixture.reader().currentRuns();
    const judged = runs.map(
      (one) => `${told({ agent: one.agent_name, failureClass: one.failure_class })} ${one.status}`,
    );
    expect(judged.toSorted()).toEqual(SEEDS.map((seed) => `${told(seed)} failed`).toSorted());
  });

  test.runIf(process.env["RUNPROOF_LONG_TESTS"] === "1")(
    "each become a fixture from the store alone, which fails again as it was recorded",
    { timeout: 600_000 },
    async () => {
      const folder = await workFolder(fixture, "fixtures");
      const env = { ...environment(), RUNPROOF_CLICKHOUSE_URL: clickhouseUrl };
      const options = { cwd: join(FLEET, ".."), env, maxBuffer: 10_000_000 };
      for (const { run_id: id } of await fixture.reader().currentRuns()) {
        await run(process.execPath, [CLI, "fixture", "create", id, "--out", folder], options);
      }
      expect(await readdir(folder)).toHaveLength(20);
      // Exit code 1: findings. What they are, the report says.
      const suite = await run(process.execPath, [CLI, "fixture", "run", folder, "--json"], options).catch(
        (error: { readonly stdout: string }) => error,
      );
      const { fixtures } = JSON.parse(suite.stdout) as { readonly fixtures: readonly Replayed[] };
      const failedAgain = fixtures.map(({ fixture_id: id, replay }) => `${id} ${replay.result}`);
      expect(failedAgain.toSorted()).toEqual(
        SEEDS.map(({ agent, failureClass }) => `${agent}_${failureClass} reproduced`).toSorted(),
      );
    },
  );
});

/** As on the machine of somebody who runs the fleet beside the service. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  RUNPROOF_ENDPOINT: fixture.otlpUrl,
  RUNPROOF_STATE_DIR: join(fixture.directory, "state"),
});
