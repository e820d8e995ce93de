import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fixture } from "../fixture/fixture-format.ts";
import { writeFixture } from "../fixture/fixture-store.ts";
import { reportAgent } from "../testing/record-run.ts";
import { brokenReportFixture } from "../testing/recorded-fixture.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
let folder: string;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const env = () => ({
  PATH: process.env["PATH"],
  RUNPROOF_ENDPOINT: "off",
  RUNPROOF_STATE_DIR: join(folder, "state"),
  TMPDIR: join(folder, "tmp"),
});

function run(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, "fixture", "run", ...args],
      { cwd: folder, env: env() },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

const withId = (fixture: Fixture, id: string): Fixture => ({
  id,
  input: { ...fixture.input, fixture_id: id },
  expected: { ...fixture.expected, fixture_id: id },
  cassette: { ...fixture.cassette, fixture_id: id },
  notes: { ...fixture.notes, fixture_id: id },
});

async function write(root: string, fixture: Fixture): Promise<void> {
  const writing = await writeFixture(join(folder, root), fixture);
  if (writing.status !== "written") throw new Error(JSON.stringify(writing));
}

const configure = (agents: object) =>
  writeFile(join(folder, "runproof.config.mjs"), `export default ${JSON.stringify({ agents })};`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-suite-test-"));
  await mkdir(join(folder, ".git"));
  await mkdir(join(folder, "tmp"));
  await configure({ "report-agent": { module: fileURLToPath(reportAgent), export: "fixed" } });
  const fixture = await brokenReportFixture("good");
  for (const id of ["good_1", "good_2", "good_3"]) await write("good", withId(fixture, id));
  await cp(join(folder, "good", "good_1"), join(folder, "mixed", "good_1"), { recursive: true });
  const retired = withId(fixture, "retired_one");
  await write("mixed", { ...retired, notes: { ...retired.notes, state: "retired" } });
  const finding = withId(fixture, "finding");
  await write("mixed", { ...finding, expected: { ...finding.expected, required_status: ["blocked"] } });
  const orphan = withId(fixture, "orphan");
  await write("mixed", { ...orphan, input: { ...orphan.input, agent_name: "nobody" } });
  await mkdir(join(folder, "mixed", "broken_one"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("runproof fixture run", () => {
  test("replays a folder's fixtures and passes when all of them do", async () => {
    const ran = await run("good", "--junit", "junit.xml");
    expect(ran).toMatchObject({ code: 0, stdout: "3 passed\n" });
    expect(ran.stderr.match(/^[123]\/3 {2}ok {2}good_[123] \(candidate\) {2}\d+\.\d s$/gm)).toHaveLength(3);
    expect(await readFile(join(folder, "junit.xml"), "utf8")).toContain(
      'tests="3" failures="0" errors="0" skipped="0"',
    );
  });

  test("ends with the worst outcome, says why each did not pass, and annotates it", async () => {
    const ran = await run("mixed", "--github", "--jobs", "3");
    expect(ran.code).toBe(2);
    expect(ran.stdout).toContain("1 passed, 1 failed, 1 errored, 1 refused, 1 skipped");
    expect(ran.stdout).toMatch(/^skipped {2}retired_one: the fixture is retired$/m);
    expect(ran.stdout).toMatch(/^ERROR {2}orphan: which code is the agent "nobody"\?/m);
    expect(ran.stdout).toMatch(/^FAILED {2}finding: another failure: the run is passed/m);
    expect(ran.stdout).toMatch(/^::error file=mixed\/finding\/notes.json,title=finding%3A failed::DIVERGED/m);
    expect(ran.stdout).toMatch(/^REFUSED {2}broken_one: /m);
    expect(ran.stdout.match(/^::/gm)).toHaveLength(3);
  });

  test("gives one JSON document, of a warm process too", async () => {
    const ran = await run("mixed", "--filter", "*d*", "--warm", "--jobs", "1", "--json");
    const json = JSON.parse(ran.stdout) as { exit_code: number; fixtures: { fixture_id: string; status: string }[] };
    expect(json.fixtures.map((it) => [it.fixture_id, it.status])).toEqual([
      ["finding", "failed"],
      ["good_1", "passed"],
      ["retired_one", "skipped"],
    ]);
    expect([json.exit_code, ran.code]).toEqual([1, 1]);
  });

  test("parts the folder by shard: together the shards have each fixture once", async () => {
    const idsOf = async (shard: string) =>
      (
        (await run("mixed", "--filter", "ne", "--shard", shard, "--json")).stdout.match(/"fixture_id": "[a-z_]+"/g) ??
        []
      ).toSorted();
    const [first, second] = [await idsOf("1/2"), await idsOf("2/2")];
    expect([...first, ...second].toSorted()).toEqual(['"fixture_id": "broken_one"', '"fixture_id": "retired_one"']);
  });

  test.each([
    ["nothing", [] as string[], /no fixtures in/],
    ["good", ["--shard", "3/2"], /--shard/],
    ["good", ["--mode", "live"], /--mode/],
  ])("refuses %s %j", async (dir, args, reason) => {
    const ran = await run(dir, ...args);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(reason);
  });

  test("is ended by an interrupt, and takes all it started with it", async () => {
    const pids = join(folder, "pids");
    const agent = `import { appendFileSync } from "node:fs"; import { spawn } from "node:child_process";
      export default () => { const it = spawn("sleep", ["300"], { stdio: "ignore" });
        appendFileSync(${JSON.stringify(pids)}, process.pid + "\\n" + it.pid + "\\n"); return new Promise(() => setInterval(() => {}, 1000)); };`;
    await writeFile(join(folder, "hang.mjs"), agent);
    await configure({ "report-agent": { module: "hang.mjs" } });
    const suite = spawn(process.execPath, [cli, "fixture", "run", "good", "--jobs", "2"], {
      cwd: folder,
      env: env(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = exitOf(suite);
    const started = async () => (await readFile(pids, "utf8").catch(() => "")).split("\n").filter(Boolean).map(Number);
    for (let i = 0; i < 400 && (await started()).length < 4; i++) await sleep(50);
    suite.kill("SIGINT");
    expect(await ended).toBe(130);
    const left = await started();
    expect(left).toHaveLength(4);
    for (let i = 0; i < 100 && left.some(isAlive); i++) await sleep(20);
    expect(left.filter(isAlive)).toEqual([]);
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });
});

const exitOf = async (child: ChildProcess): Promise<number | null> => (await once(child, "exit"))[0] as number | null;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
