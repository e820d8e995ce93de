import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFixture, writeFixture } from "../fixture/fixture-store.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";

/** Only against hanging: every verb starts processes, and the machine may be busy. */
const HANG_MILLIS = 300_000;
const SEARCH_FILE = ".failure_min.minimise.json";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-minimise-"));
  await writeFixture(join(folder, "fixtures"), await brokenReportFixture("failure"));
}, HANG_MILLIS);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the verb in the test's folder. `interrupt`: sends SIGINT when it first tells of its progress. */
async function minimise(args: readonly string[], { interrupt = false } = {}): Promise<Ran> {
  const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
  const agent = ["--agent", fileURLToPath(reportAgent)];
  const all = [cli, "fixture", "minimise", join("fixtures", "failure"), ...agent, ...args];
  const env = { PATH: process.env["PATH"], RUNPROOF_STATE_DIR: join(folder, "state") };
  const child = spawn(process.execPath, all, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    if (interrupt && texts.stderr === "") child.kill("SIGINT");
    texts.stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...texts };
}

const broken = ["--export", "broken"];
const out = () => join(folder, "out");

describe("runproof fixture minimise", { timeout: HANG_MILLIS }, () => {
  test("writes a smaller fixture beside, with a document for programs and the progress for people", async () => {
    const ran = await minimise([...broken, "--json"]);
    expect(ran).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ok: true,
      fixture_id: "failure_min",
      interactions: { before: 4, after: 1 },
      one_minimal: true,
    });
    expect(ran.stderr).toMatch(/% cut, \d+ of \d+ bytes, \d of 4 calls/);
    expect(await readdir(join(folder, "fixtures"))).toEqual(["failure", "failure_min"]);
    expect((await readFixture(join(folder, "fixtures", "failure_min"))).ok).toBe(true);
  });

  test("stops after the replays it is allowed, says how to go on, and goes on", async () => {
    const stopped = await minimise([...broken, "--out", "out", "--max-replays", "2"]);
    expect(stopped).toMatchObject({ code: 0, stdout: `${join(out(), "failure_min")}\n` });
    expect(stopped.stderr).toContain("--resume");
    expect(await readdir(out())).toEqual([SEARCH_FILE, "failure_min"]);
    const resumed = await minimise([...broken, "--out", "out", "--resume"]);
    expect(resumed).toMatchObject({ code: 0 });
    expect(await readdir(out())).toEqual(["failure_min"]);
    const [beside, there] = await Promise.all(
      [join(folder, "fixtures"), out()].map((root) =>
        readFile(join(root, "failure_min", "tool_cassettes.json"), "utf8"),
      ),
    );
    expect(there).toBe(beside);
  });

  test("keeps the smallest so far when it is interrupted", async () => {
    const ran = await minimise([...broken, "--out", "cut"], { interrupt: true });
    expect(ran).toMatchObject({ code: 130, stdout: `${join(folder, "cut", "failure_min")}\n` });
    expect((await readFixture(join(folder, "cut", "failure_min"))).ok).toBe(true);
  });

  test("refuses what cannot work before it replays anything", async () => {
    expect(await minimise([...broken, "--jobs", "0"])).toMatchObject({ code: 2 });
    expect(await minimise([...broken, "--id", "../away"])).toMatchObject({ code: 2 });
    const taken = await minimise([...broken, "--id", "failure"]);
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining("--force") });
    const nothing = await minimise([...broken, "--out", "empty", "--resume"]);
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining("start without --resume") });
  });

  test("is a finding when the code does not show the failure", async () => {
    const ran = await minimise(["--export", "fixed", "--out", "none", "--json"]);
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("does not show its failure") });
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, problem: "not_reproduced", outcome: "fixed" });
  });
});
