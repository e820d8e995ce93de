import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeRepository, type TestRepository } from "../testing/git-repository.ts";
import { openRepository, type Repository, resolveCommit } from "./repository.ts";
import { removeLeftOvers, withWorktree } from "./worktree.ts";

let origin: TestRepository;
let repository: Repository;
let temporary: string;
let commit: string;
const systemTemporary = process.env["TMPDIR"];

beforeEach(async () => {
  // Node's tmpdir() asks TMPDIR each time: what is left behind is seen, whoever else uses the machine.
  temporary = await realpath(await mkdtemp(join(tmpdir(), "runproof-worktrees-")));
  origin = await makeRepository();
  commit = await origin.commit("first", { ".gitignore": "node_modules\n", "agents/a.mjs": "export default 1;" });
  process.env["TMPDIR"] = temporary;
  repository = await openRepository(origin.root, process.env);
});

afterEach(async () => {
  if (systemTemporary === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = systemTemporary;
  await origin.remove();
  await rm(temporary, { recursive: true, force: true });
});

const agent = (module = "agents/a.mjs", at = commit) => ({
  commit: at,
  module,
  exportName: "default",
  passEnvironment: [],
  native: false,
});

/** Nothing is left: no folder, and nothing that git remembers. */
async function expectNothingLeft(): Promise<void> {
  expect(await readdir(temporary)).toEqual([]);
  expect(await origin.git("worktree", "list", "--porcelain")).not.toContain("runproof-worktree");
}

describe("a worktree", () => {
  test("holds the commit's files, and is gone afterwards", async () => {
    await origin.commit("second", { "agents/a.mjs": "export default 2;" });
    const seen = await withWorktree(repository, agent(), async ({ module }) => {
      const { default: value } = (await import(module)) as { default: number };
      return { value, folder: dirname(dirname(fileURLToPath(module))) };
    });
    expect(seen).toMatchObject({ ok: true, result: { value: 1, folder: expect.stringContaining(temporary) } });
    await expectNothingLeft();
    expect(await origin.git("status", "--porcelain")).toBe("");
  });

  test("is gone when its use throws", async () => {
    const use = () => Promise.reject(new Error("no"));
    await expect(withWorktree(repository, agent(), use)).rejects.toThrow("no");
    await expectNothingLeft();
  });

  test("is not made, and leaves nothing, when the signal was aborted before", async () => {
    const seen = await withWorktree(repository, agent(), () => Promise.resolve(1), AbortSignal.abort());
    expect(seen.ok).toBe(false);
    await expectNothingLeft();
  });

  test("sees the packages of the main checkout, at the root and beside the agent", async () => {
    await origin.write("node_modules/outer/index.mjs", "export default 'outer';");
    await origin.write("node_modules/outer/package.json", '{"name":"outer","exports":"./index.mjs"}');
    await origin.write("agents/node_modules/inner/index.mjs", "export default 'inner';");
    await origin.write("agents/node_modules/inner/package.json", '{"name":"inner","exports":"./index.mjs"}');
    const code = 'import outer from "outer"; import inner from "inner"; export default [outer, inner];';
    const at = await origin.commit("packages", { "agents/b.mjs": code });
    const seen = await withWorktree(repository, agent("agents/b.mjs", at), ({ module }) => import(module));
    expect(seen).toMatchObject({ ok: true, result: { default: ["outer", "inner"] } });
    expect(existsSync(join(origin.root, "node_modules", "outer"))).toBe(true);
    await expectNothingLeft();
  });

  test("runs no hook of the repository", async () => {
    const hook = await origin.write(".git/hooks/post-checkout", `#!/bin/sh\ntouch ${origin.root}/hooked\n`);
    const { chmod } = await import("node:fs/promises");
    await chmod(hook, 0o755);
    // The hook works where nothing holds it back.
    await origin.git("checkout", "--quiet", "-b", "other");
    expect(existsSync(join(origin.root, "hooked"))).toBe(true);
    await rm(join(origin.root, "hooked"));
    expect(await withWorktree(repository, agent(), () => Promise.resolve(1))).toMatchObject({ ok: true });
    expect(existsSync(join(origin.root, "hooked"))).toBe(false);
  });

  test("refuses a module that is not there, or is a link out of it", async () => {
    const outside = await origin.write("node_modules/evil.mjs", "export default 666;");
    await symlink(outside, join(origin.root, "agents", "link.mjs"));
    const at = await origin.commit("a link", {});
    for (const module of ["agents/none.mjs", "agents/link.mjs"]) {
      const seen = await withWorktree(repository, agent(module, at), () => Promise.resolve(1));
      expect(seen).toEqual({ ok: false, reason: `${at} has no module ${module}` });
    }
    await expectNothingLeft();
  });
});

describe("what a killed process left behind", () => {
  const leaveBehind = async (pid: number): Promise<string> => {
    const base = await mkdtemp(join(temporary, `runproof-worktree-${pid}-`));
    await origin.git("worktree", "add", "--quiet", "--detach", "--lock", join(base, "checkout"), commit);
    return base;
  };

  test("is removed, also where its folder is gone, and what is in use stays", async () => {
    // Above every process id of Linux.
    const [dead, emptied] = [await leaveBehind(4_194_305), await leaveBehind(4_194_306)];
    await rm(emptied, { recursive: true });
    const used = await leaveBehind(process.pid);
    await removeLeftOvers(repository);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(join(used, "checkout", "agents", "a.mjs"))).toBe(true);
    const list = await origin.git("worktree", "list", "--porcelain");
    expect([dead, emptied, used].map((it) => list.includes(it))).toEqual([false, false, true]);
  });

  test("is never a folder outside the temporary folder", async () => {
    const other = join(origin.root, "runproof-worktree-4194305-x");
    await mkdir(other);
    await origin.git("worktree", "add", "--quiet", "--detach", join(other, "checkout"), commit);
    await removeLeftOvers(repository);
    expect(existsSync(join(other, "checkout", "agents", "a.mjs"))).toBe(true);
  });
});

describe("refs", () => {
  test("are resolved to commits, and a text that looks like an option is only a name", async () => {
    await origin.git("tag", "-a", "v1", "-m", "tagged");
    expect(await resolveCommit(repository, "v1")).toBe(commit);
    expect(await resolveCommit(repository, "HEAD")).toBe(commit);
    expect(await resolveCommit(repository, "nothing")).toBeUndefined();
    expect(await resolveCommit(repository, "--git-dir")).toBeUndefined();
    expect(await resolveCommit(repository, `--output=${origin.root}/x`)).toBeUndefined();
    expect(existsSync(join(origin.root, "x"))).toBe(false);
  });
});
