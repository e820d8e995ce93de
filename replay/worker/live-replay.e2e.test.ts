import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunContract, defineContract } from "../../instrumentation/contract/contract.ts";
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

describe("a live replay of an agent that asks a host", () => {
  const contract = defineContract({ agent: "http-agent", answer: { required: [{ contains: "never said" }] } });
  const httpAgent = new URL("../testing/agents/http-agent.ts", import.meta.url).href;

  /** Counts its answers, so that none is taken for a recorded one, and knows who asks. */
  async function openWorld() {
    const seen: { path: string; credential: string | undefined }[] = [];
    const server = createServer((request, response) => {
      seen.push({ path: request.url ?? "", credential: request.headers.authorization });
      response.end(request.url === "/count" ? String(seen.length + 100) : `${request.url} now`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { seen, host: `127.0.0.1:${port}`, close: () => server.close() };
  }

  test("asks it through the worker, with credentials the agent's process does not have", async () => {
    const world = await openWorld();
    try {
      const result = await replayFixture(
        httpFixture(fixture, contract, `http://${world.host}`),
        { module: httpAgent, exportName: "default" },
        {
          environment: { PATH: process.env["PATH"], WORLD_TOKEN: "Bearer of-the-worker" },
          storeUrl: null,
          timeoutMillis: 50_000,
          mode: "live",
          live: { tools: ["page"], hosts: [world.host], headers: { [world.host]: { authorization: "WORLD_TOKEN" } } },
        },
      );
      expect(result.agent).toEqual({ type: "returned" });
      expect(result.liveCalls?.map((call) => call.path)).toEqual([
        "page#0",
        ...[0, 1, 2, 3].map((nth) => `GET ${world.host}#${nth}`),
      ]);
      const credentials = Map.groupBy(world.seen, ({ credential }) => credential);
      // The tool is the agent's own code, and asks from its process.
      expect(credentials.get(undefined)?.map(({ path }) => path)).toEqual(["/json"]);
      expect(credentials.get("Bearer of-the-worker")).toHaveLength(4);
    } finally {
      world.close();
    }
  });
});

/** The fixture of another agent, without any recording: all it asks has to be asked of the world. */
const httpFixture = (of: Fixture, contract: RunContract, url: string): Fixture => ({
  ...of,
  input: { ...of.input, agent_name: "http-agent", input: { url } },
  expected: { ...of.expected, contract },
  cassette: { ...of.cassette, interactions: [] },
});
