import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** A real git repository of a test, in a temporary folder. */
export interface TestRepository {
  readonly root: string;
  git(...args: readonly string[]): Promise<string>;
  /** Writes files and commits them; gives the commit. */
  commit(subject: string, files: Readonly<Record<string, string>>): Promise<string>;
  write(path: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

const CONFIG = [
  "user.name=Tester",
  "user.email=tester@example.invalid",
  "commit.gpgsign=false",
  "init.defaultBranch=main",
];

export async function makeRepository(): Promise<TestRepository> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "runproof-repository-")));
  const env = { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1" };
  const git = async (...args: readonly string[]): Promise<string> => {
    const argv = [...CONFIG.flatMap((it) => ["-c", it]), ...args];
    return (await promisify(execFile)("git", argv, { cwd: root, env })).stdout.trim();
  };
  const write = async (path: string, text: string): Promise<string> => {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  await git("init", "--quiet");
  return {
    root,
    git,
    write,
    async commit(subject, files) {
      for (const [path, text] of Object.entries(files)) await write(path, text);
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", "--message", subject);
      return await git("rev-parse", "HEAD");
    },
    remove: () => rm(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

const INSTRUMENTATION = new URL("../../instrumentation/index.ts", import.meta.url).href;

/**
 * The source of an agent that `builtFixture()` is about: it searches, then does `work` with `hits` in hand. Its tool
 * fails outside a recording.
 */
export const agentSource = (work: string, options = 'model: "m-1", promptVersion: "p-1"'): string => `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { defineContract, withRun, wrapTool } from ${JSON.stringify(INSTRUMENTATION)};

const contract = defineContract({
  agent: "researcher",
  artifacts: [{ name: "report", path: "report.md" }],
  tools: { allowed: ["search"] },
  limits: { timeoutSeconds: 30 },
});

const search = wrapTool({ name: "search", sideEffect: "read" }, ({ q }) => {
  throw new Error("the real tool was called");
});

export default (input) =>
  withRun(
    contract,
    async () => {
      const { hits } = await search({ q: input.topic });
      ${work}
      return "done";
    },
    { input, taskId: "task-1", ${options} },
  );
`;

export const FORGETS_REPORT = agentSource("");
export const WRITES_REPORT = agentSource('writeFileSync("report.md", `${hits} hits`);');

/** Writes the report every other time; `counter` is a file that outlives the replay. */
export const flakySource = (counter: string): string =>
  agentSource(`
      const counter = ${JSON.stringify(counter)};
      const times = existsSync(counter) ? Number(readFileSync(counter, "utf8")) : 0;
      writeFileSync(counter, String(times + 1));
      if (times % 2 === 1) writeFileSync("report.md", String(hits));`);
