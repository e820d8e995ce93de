import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const FILES: Readonly<Record<string, string>> = {
  "src/slug.mjs": 'export const slug = (title) => title.replace(" ", "-");\n',
  "test/slug.test.mjs": `import assert from "node:assert/strict";
import { slug } from "../src/slug.mjs";

assert.equal(slug("Spring  Tides!"), "spring-tides");
assert.equal(slug("Neap"), "neap");
`,
  "CHANGELOG.md": "# Changes\n",
};

/** A git repository with one commit: a function with a bug, and the test that shows it. */
export async function createRepository(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const identity = ["-c", "user.name=example", "-c", "user.email=example@example.org", "-c", "commit.gpgsign=false"];
  for (const args of [
    ["init", "--quiet"],
    ["add", "."],
    [...identity, "commit", "--quiet", "--message", "A bug"],
  ]) {
    await run("git", args, { cwd: folder });
  }
}

/** Program and arguments that tell whether the repository's tests pass. */
export const TEST_COMMAND = ["node", "test/slug.test.mjs"] as const;

/** Runs the tests as a developer would. */
export async function runTests(folder: string): Promise<{ readonly passed: boolean; readonly output: string }> {
  const [, ...args] = TEST_COMMAND;
  try {
    const { stdout } = await run(process.execPath, args, { cwd: folder, timeout: 20_000 });
    return { passed: true, output: stdout.slice(-1_000) };
  } catch (error) {
    // Paths of the machine are of no use to the model.
    const { stderr = "" } = error as { readonly stderr?: string };
    return { passed: false, output: stderr.replaceAll(folder, "").slice(-1_000) };
  }
}
