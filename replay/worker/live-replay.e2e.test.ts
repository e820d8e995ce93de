import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replay } from "../commands/replay.ts";
import { UsageError } from "../commands/run-command-line.ts";
import type { Fixture } from "../fixture/fixture-format.ts";
import { writeFixture } from "../fixture/fixture-store.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";
import { replayFixture } from "./replay-fixture.ts";

const scratch = mkdtempSync(join(tmpdir(), "runproof-live-replay-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let fixture: Fixture;

beforeAll(async () => {
  fixture = await brokenReportFixture();
});

describe("a live replay", () => {
  test("really calls the tools that are declared to read, and answers all others from the recording", async () => {
    const result = await replayFixture(
      fixture,
      { module: reportAgent, exportName: "fixed", passEnvironment: ["REPORT_AGENT_WORLD"] },
      {
        environment: { PATH: process.env["PATH"], REPORT_AGENT_WORLD: "1" },
        storeUrl: null,
        timeoutMillis: 50_000,
        mode: "live",
        live: { tools: ["search"], hosts: [] },
      },
    );
    expect(result).toMatchObject({
      mode: "live",
      outcome: "fixed",
      liveCalls: [{ name: "search", path: "search#0" }],
      cassette: { hits: 3, misses: [], unused: [{ name: "search" }] },
    });
  });

  test("calls nothing that is not declared", async () => {
    const environment = { PATH: process.env["PATH"] };
    const options = { environment, storeUrl: null, timeoutMillis: 50_000, mode: "live" } as const;
    const result = await replayFixture(fixture, { module: reportAgent, exportName: "fixed" }, options);
    expect(result).toMatchObject({ outcome: "fixed", liveCalls: [], cassette: { hits: 4 } });
  });

  test("is refused when a tool declared to read was recorded with a side effect", async () => {
    const [first, ...rest] = fixture.cassette.interactions;
    if (first === undefined) throw new Error("nothing was recorded");
    const interactions = [{ ...first, side_effect: "money" as const }, ...rest];
    const writing = await writeFixture(scratch, { ...fixture, cassette: { ...fixture.cassette, interactions } });
    if (writing.status !== "written") throw new Error(JSON.stringify(writing));
    const entry = { module: fileURLToPath(reportAgent), export: "fixed", live: { tools: ["search"] } };
    writeFileSync(
      join(scratch, "runproof.config.mjs"),
      `export default ${JSON.stringify({ agents: { "report-agent": entry } })};`,
    );
    const context = {
      env: { PATH: process.env["PATH"] },
      cwd: scratch,
      stdout: process.stdout,
      stderr: process.stderr,
      signal: new AbortController().signal,
    };
    const replaying = replay({ fixture: writing.path, mode: "live", store: false }, context);
    await expect(replaying).rejects.toThrow(UsageError);
    await expect(replaying).rejects.toThrow(/"search" read-only.*side effects \(money\)/);
  });
});
