import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readFixture, writeFixture } from "../fixture/fixture-store.ts";
import { builtFixture } from "../testing/facts.ts";
import {
  agentSource,
  flakySource,
  FORGETS_REPORT,
  makeRepository,
  type TestRepository,
  WRITES_REPORT,
} from "../testing/git-repository.ts";
import { bisect, type BisectFlags } from "./bisect.ts";
import { certify, type CertifyFlags } from "./certify.ts";
import type { CommandContext } from "./context.ts";
import { fixtureStatus, type FixtureStatusFlags, retireFixture } from "./fixture-status.ts";
import { action, prepare, runCommandLine } from "./run-command-line.ts";

/** A real repository whose history has the agent broken, fixed, beside the point, broken again. */
let repository: TestRepository;
let temporary: string;
let commits: Record<"unstartable" | "plain" | "fixed" | "notes" | "broken" | "later", string>;
const MODULE = "agents/researcher.mjs";
const systemTemporary = process.env["TMPDIR"];

beforeAll(async () => {
  temporary = await realpath(await mkdtemp(join(tmpdir(), "runproof-certify-test-")));
  repository = await makeRepository();
  process.env["TMPDIR"] = temporary;
  await repository.commit("start", { ".gitignore": "fixtures\nnode_modules\n", "README.md": "an agent" });
  commits = {
    fixed: await repository.commit("The agent writes its report", { [MODULE]: WRITES_REPORT }),
    plain: await repository.commit("An image of an agent", { "README.md": "an agent, drawn" }),
    unstartable: await repository.commit("A module that does not load", { [MODULE]: "import 'nowhere';" }),
    notes: await repository.commit("Whole again", { [MODULE]: `${WRITES_REPORT}// tidy\n` }),
    broken: await repository.commit("Tidy\u001b[31m up the report", { [MODULE]: FORGETS_REPORT }),
    later: await repository.commit("Words", { "README.md": "an agent that lost its report" }),
  };
});

afterAll(async () => {
  if (systemTemporary === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = systemTemporary;
  await repository.remove();
  await rm(temporary, { recursive: true, force: true });
});

/** A guard against hanging, not a bound: a machine may be busy with other things. */
const HANG_MILLIS = 300_000;

const fixtures = () => join(repository.root, "fixtures", "agent_failure_forensics");
const fixture = () => join(fixtures(), "missing_report");
const notes = async () => JSON.parse(await readFile(join(fixture(), "notes.json"), "utf8"));

beforeEach(async () => {
  await rm(fixtures(), { recursive: true, force: true });
  await mkdir(fixtures(), { recursive: true });
  await writeFixture(fixtures(), builtFixture());
});

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = () => ({
  PATH: process.env["PATH"],
  TMPDIR: temporary,
  HOME: repository.root,
  // As in a hook: it must not lead git astray.
  GIT_DIR: "/nonexistent",
});

/** The real program, for what only a process has: arguments, signals, an exit. */
function start(...args: readonly string[]): ChildProcess {
  const entry = fileURLToPath(new URL("../cli.ts", import.meta.url));
  return spawn(process.execPath, [entry, "fixture", ...args], {
    cwd: repository.root,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function ended(child: ChildProcess): Promise<Ran> {
  const streams = [child.stdout, child.stderr].map((it) => text(it as NodeJS.ReadableStream));
  const [[code], stdout = "", stderr = ""] = await Promise.all([once(child, "close"), ...streams]);
  return { code: code as number | null, stdout, stderr };
}

/** The verb alone, in this process: starting the program each time would take most of the tests' time. */
async function run(verb: (context: CommandContext) => Promise<number>): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const context = {
    env: environment(),
    cwd: repository.root,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  };
  const program = prepare(new Command("test"), context);
  program.action(action(program, () => verb(context)));
  const code = await runCommandLine(program, ["node", "test"], context);
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

const json = { json: true } as const;

const certifies = (broken: string, fixed: string, flags: Partial<CertifyFlags> = {}): Promise<Ran> =>
  run((context) => certify(fixture(), { broken, fixed, agent: MODULE, runs: "1", ...flags }, context));

const statusOf = (directory: string, flags: Partial<FixtureStatusFlags> = {}): Promise<Ran> =>
  run((context) => fixtureStatus(directory, { store: false, ...flags }, context));

const stateNow = async (flags: Partial<FixtureStatusFlags> = {}): Promise<{ state: string; reasons: string[] }> => {
  const { stdout, stderr } = await statusOf(fixture(), { ...flags, json: true });
  const [row] = JSON.parse(stdout || "[]") as { state: string; reasons: string[] }[];
  if (row === undefined) throw new Error(`no state: ${stderr}`);
  return row;
};

/** Nothing of a checkout is left, neither as a folder nor in what git remembers. */
async function expectNothingLeft(): Promise<void> {
  expect((await readdir(temporary)).filter((it) => it.startsWith("runproof-"))).toEqual([]);
  expect(await repository.git("worktree", "list", "--porcelain")).not.toContain("runproof-worktree");
}

describe("runproof fixture certify", { timeout: HANG_MILLIS }, () => {
  test("proves a fixture on a broken and a fixed ref, also a retired one, and writes the proof", async () => {
    await run((context) => retireFixture(fixture(), { reason: "the tool is gone" }, context));
    expect(await notes()).toMatchObject({ state: "retired", retirement: { reason: "the tool is gone" } });
    const before = await readFile(join(fixture(), "tool_cassettes.json"), "utf8");
    const fixed = commits.fixed.slice(0, 10);
    const args = ["--broken", "main~1", "--fixed", fixed, "--agent", MODULE, "--runs", "2", "--json"];
    const ran = await ended(start("certify", fixture(), ...args));
    expect(ran.stderr).toMatch(/broken 2\/2: reproduced.*\n.*fixed 1\/2: fixed/);
    expect(ran.code).toBe(0);
    const { certification, state } = await notes();
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, result: "certified", certification });
    expect(state).toBe("certified");
    expect(await notes()).not.toHaveProperty("retirement");
    const tree = await repository.git("rev-parse", `${commits.fixed}:agents`);
    const blob = await repository.git("rev-parse", `${commits.fixed}:${MODULE}`);
    expect(certification).toMatchObject({
      result: "certified",
      mode: "cassette",
      fixture_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      broken: { ref: "main~1", commit: commits.broken, module: MODULE, runs: 2, outcomes: { reproduced: 2 } },
      fixed: { commit: commits.fixed, tree_hash: tree, blob_hash: blob, runs: 2, outcomes: { fixed: 2 } },
      fingerprints: {
        code: { module: MODULE, tree_hash: tree, blob_hash: blob },
        model: "m-1",
        prompt_version: "p-1",
        tool_allowlist: ["search"],
      },
      runtime: { node: process.version, platform: expect.any(String), runproof: expect.any(String) },
    });
    // The same conversation each time, another on each side.
    const transcripts = [certification.broken.transcript_sha256, certification.fixed.transcript_sha256];
    for (const transcript of transcripts) expect(transcript).toMatch(/^[0-9a-f]{64}$/);
    expect(transcripts[0]).not.toBe(transcripts[1]);
    expect(Date.now() - Date.parse(certification.certified_at)).toBeLessThan(600_000);
    // The rest of the fixture is as it was, and reads as before.
    expect(await readFile(join(fixture(), "tool_cassettes.json"), "utf8")).toBe(before);
    expect(await readFixture(fixture())).toMatchObject({ ok: true, fixture: { notes: { state: "certified" } } });
    expect((await readdir(fixture())).sort()).toEqual([
      "expected.json",
      "input.json",
      "notes.json",
      "tool_cassettes.json",
    ]);
    await expectNothingLeft();
  });

  test("refuses a fixture that passes on the broken ref, and says which", async () => {
    const ran = await certifies(commits.notes, commits.fixed, json);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, result: "refused", side: "broken", certification: null });
    expect(ran.stdout).toContain(`the broken ref ${commits.notes}`);
    expect(ran.stdout).toContain("passes: the fixture does not show the failure there");
    expect(await notes()).toMatchObject({ state: "candidate", certification: null });
    await expectNothingLeft();
  });

  test("refuses a fixed ref that still fails", async () => {
    const ran = await certifies(commits.broken, commits.later);
    expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining("does not pass: reproduced") });
    expect(await notes()).toMatchObject({ state: "candidate", certification: null });
  });

  test("finds a fixture flaky whose replays of one ref differ", async () => {
    const counter = join(temporary, "counter");
    const flaky = await repository.commit("Now and then", { "agents/flaky.mjs": flakySource(counter) });
    const ran = await certifies(`${flaky}:agents/flaky.mjs`, commits.fixed, { runs: "2" });
    expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining("FLAKY  missing_report") });
    expect(ran.stdout).toContain("1 reproduced, 1 fixed");
    expect(await notes()).toMatchObject({
      state: "flaky",
      certification: { result: "flaky", broken: { outcomes: { reproduced: 1, fixed: 1 } }, fixed: null },
    });
    expect(await stateNow()).toMatchObject({ state: "flaky" });
  });

  test("takes two modules of one commit", async () => {
    const both = { "two/broken.mjs": FORGETS_REPORT, "two/fixed.mjs": WRITES_REPORT };
    await repository.commit("Side by side", both);
    const ran = await certifies("HEAD:two/broken.mjs", "HEAD:two/fixed.mjs");
    expect(ran.code).toBe(0);
    expect(await notes()).toMatchObject({
      certification: { broken: { module: "two/broken.mjs" }, fixed: { module: "two/fixed.mjs" } },
    });
    expect(await stateNow()).toMatchObject({ state: "certified", reasons: [] });
    // Another commit elsewhere moves HEAD, and nothing that was proven.
    await repository.commit("Elsewhere", { "README.md": "more words" });
    expect(await stateNow()).toMatchObject({ state: "certified" });
  });

  test("says 3 when the code of a ref cannot be run", async () => {
    const ran = await certifies(commits.unstartable, commits.fixed);
    expect(ran).toMatchObject({ code: 3, stdout: expect.stringContaining("the broken code cannot be judged") });
    expect(await notes()).toMatchObject({ state: "candidate", certification: null });
    await expectNothingLeft();
  });

  test.each([
    ["--upload-pack=touch hacked", /is a branch, tag or commit/],
    ["; rm -rf fixtures", /is a branch, tag or commit/],
    ["$(touch hacked)", /is a branch, tag or commit/],
    ["main..HEAD", /not a range/],
    ["no-such-branch", /has no commit "no-such-branch"/],
    ["HEAD:../../etc/passwd", /goes down from the repository's root/],
    ["HEAD:agents/none.mjs", /has no module agents\/none.mjs/],
  ])("refuses the ref %s", async (ref, reason) => {
    const ran = await certifies(ref, commits.fixed);
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(reason) });
    expect(existsSync(join(repository.root, "hacked"))).toBe(false);
    expect(existsSync(fixture())).toBe(true);
  });

  test("leaves nothing behind when it is interrupted", async () => {
    const marker = join(temporary, "hanging");
    const hangs = agentSource(
      `writeFileSync(${JSON.stringify(marker)}, ""); await new Promise(() => setInterval(() => {}, 1_000));`,
    );
    const at = await repository.commit("Hangs", { "agents/hangs.mjs": hangs });
    const child = start(
      "certify",
      fixture(),
      "--broken",
      `${at}:agents/hangs.mjs`,
      "--fixed",
      `${commits.fixed}:${MODULE}`,
    );
    const ran = ended(child);
    while (!existsSync(marker) && child.exitCode === null) await sleep(20);
    expect((await readdir(temporary)).some((it) => it.startsWith("runproof-worktree-"))).toBe(true);
    child.kill("SIGINT");
    expect(await ran).toMatchObject({ code: 130, stdout: "" });
    expect(await notes()).toMatchObject({ state: "candidate", certification: null });
    await expectNothingLeft();
  });
});

describe("runproof fixture status", { timeout: HANG_MILLIS }, () => {
  let proof: string | undefined;
  beforeEach(async () => {
    await repository.git("checkout", "--quiet", "--force", commits.notes);
    const file = join(fixture(), "notes.json");
    if (proof === undefined) {
      expect((await certifies(commits.broken, commits.notes)).code).toBe(0);
      proof = await readFile(file, "utf8");
    }
    await writeFile(file, proof);
  });

  test("follows a certified fixture through its life", async () => {
    expect(await stateNow()).toMatchObject({ state: "certified", reasons: [] });
    expect((await statusOf(fixtures(), { check: true })).code).toBe(0);

    // Uncommitted work, then other code, then the certified code again.
    await repository.write(MODULE, "changed");
    expect(await stateNow()).toMatchObject({ state: "stale", reasons: [expect.stringContaining("uncommitted")] });
    await repository.git("checkout", "--quiet", "--force", commits.later);
    expect(await stateNow()).toMatchObject({ state: "stale", reasons: [expect.stringContaining("the code moved")] });
    expect((await statusOf(fixtures(), { check: true })).code).toBe(1);
    await repository.git("checkout", "--quiet", "--force", commits.notes);
    expect(await stateNow()).toMatchObject({ state: "certified" });

    expect(await stateNow({ maxAge: "0.0000001" })).toMatchObject({ state: "certified" });
    const old = await notes();
    old.certification.certified_at = "2020-01-01T00:00:00.000Z";
    await writeFile(join(fixture(), "notes.json"), JSON.stringify(old));
    expect(await stateNow()).toMatchObject({ state: "stale", reasons: [expect.stringContaining("days ago")] });

    const retired = await run((context) => retireFixture(fixture(), { reason: "the tool is gone" }, context));
    expect(retired.code).toBe(0);
    expect(await stateNow()).toMatchObject({ state: "retired", reasons: ["the tool is gone"] });
    expect((await statusOf(fixtures())).stdout).toMatch(/missing_report +retired[^]*the tool is gone/);
  });

  test("does not believe a proof of another content, nor one whose commits are others", async () => {
    const certified = await notes();
    const input = await readFile(join(fixture(), "input.json"), "utf8");
    await writeFile(join(fixture(), "input.json"), input.replace("otters", "cats"));
    expect(await stateNow()).toMatchObject({
      state: "candidate",
      reasons: [expect.stringContaining("the proof is of another content")],
    });
    await writeFile(join(fixture(), "input.json"), input);
    expect(await stateNow()).toMatchObject({ state: "certified" });
    const { certification } = certified;
    const forged = { ...certification, broken: { ...certification.broken, commit: commits.fixed } };
    await writeFile(join(fixture(), "notes.json"), JSON.stringify({ ...certified, certification: forged }));
    expect(await stateNow()).toMatchObject({
      state: "candidate",
      reasons: [expect.stringContaining("what it is not")],
    });
  });
});

describe("runproof fixture bisect", { timeout: HANG_MILLIS }, () => {
  const bisects = (good: string, bad: string, flags: Partial<BisectFlags> = {}): Promise<Ran> =>
    run((context) => bisect(fixture(), { good, bad, agent: MODULE, ...flags }, context));

  test("finds the commit that broke the agent, walking round one that cannot be started", async () => {
    const ran = await bisects(commits.fixed, commits.broken);
    expect(ran.code).toBe(0);
    const told = new RegExp(
      `^the first commit that fails is ${commits.broken}\n {2}Tidy up the report\n {2}Tester, \\d{4}-`,
    );
    expect(ran.stdout).toMatch(told);
    expect(ran.stdout).not.toContain("\u001b");
    expect(ran.stderr).toContain(`${commits.unstartable.slice(0, 12)}: errored`);
    expect(ran.stderr.trim().split("\n")).toHaveLength(5);
    await expectNothingLeft();
  });

  test("names all suspects when those between cannot be judged", async () => {
    const from = await repository.git("rev-parse", commits.fixed);
    await repository.git("checkout", "--quiet", "--force", "-b", "mute", from);
    const mute = await repository.commit("Mute", { [MODULE]: "import 'nowhere';" });
    const bad = await repository.commit("Broken", { [MODULE]: FORGETS_REPORT });
    const ran = await bisects(from, bad, json);
    expect(ran.code).toBe(4);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      result: "range",
      first_bad: null,
      suspects: [{ commit: mute }, { commit: bad }],
    });
  });

  test("refuses ends that are not what they are called", async () => {
    expect(await bisects(commits.broken, commits.later)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("does not pass: reproduced"),
    });
    expect((await bisects(commits.fixed, commits.notes)).stdout).toContain("does not fail: fixed");
    expect((await bisects(commits.later, commits.fixed)).stdout).toContain("not an ancestor");
    expect(await bisects("--all", commits.fixed)).toMatchObject({ code: 2, stdout: "" });
  });
});
