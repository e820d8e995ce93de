import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitBase, probeGitDiff, type GitBase } from "./git-diff-probe.ts";

describe("probeGitDiff", () => {
  let cwd: string;
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd, stdio: "pipe" });
  };
  const write = (path: string, text: string): void => writeFileSync(join(cwd, path), text);
  const base = async (folder = "."): Promise<GitBase> => {
    const taken = await gitBase({ cwd: join(cwd, folder) });
    if ("problem" in taken) throw new Error(taken.problem);
    return taken.value;
  };
  const changes = async (from: GitBase, folder = "."): Promise<unknown> => {
    const seen = await probeGitDiff(from, { cwd: join(cwd, folder) });
    return "value" in seen ? seen.value : seen.problem;
  };
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "runproof-git-"));
    git("init", "-q");
    mkdirSync(join(cwd, "src"));
    for (const file of ["a.txt", "src/b.txt", "old.txt", "dirty.txt"]) write(file, `${file}\n`);
    write(".gitignore", ".env\nbuild/\n");
    git("add", ".");
    git("commit", "-qm", "first");
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  it("sees edits, additions, deletions, renames and ignored files, committed or not", async () => {
    write(".env", "KEY=1");
    const from = await base();
    write("a.txt", "changed");
    git("commit", "-qam", "by the agent");
    write("new.txt", "x");
    write("staged.txt", "x");
    git("add", "staged.txt");
    renameSync(join(cwd, "old.txt"), join(cwd, "src/moved.txt"));
    write(".env", "KEY=2");
    mkdirSync(join(cwd, "build"));
    write("build/out", "ignored as a whole");
    const expected = [".env", "a.txt", "new.txt", "old.txt", "src/moved.txt", "staged.txt"];
    expect(await changes(from)).toEqual(expected);
    expect(await changes(from, "src")).toEqual([
      "../.env",
      "../a.txt",
      "../new.txt",
      "../old.txt",
      "../staged.txt",
      "moved.txt",
    ]);
  });

  it("does not blame the run for what was changed before it", async () => {
    write("dirty.txt", "already changed");
    write("stray.txt", "already there");
    const from = await base();
    expect(await changes(from)).toEqual([]);
    write("stray.txt", "changed by the run");
    expect(await changes(from)).toEqual(["stray.txt"]);
    rmSync(join(cwd, "stray.txt"));
    git("checkout", "-q", "dirty.txt");
    expect(await changes(from)).toEqual(["dirty.txt", "stray.txt"]);
  });

  it("sees a change of the same size with its old time put back", async () => {
    write("stray.txt", "AAAA");
    const from = await base();
    write("stray.txt", "BBBB");
    utimesSync(join(cwd, "stray.txt"), new Date(0), new Date(0));
    expect(await changes(from)).toEqual(["stray.txt"]);
  });

  it("survives hostile file names", async () => {
    const from = await base();
    const names = ["-rf", "a\nb", "$(touch pwned)", "é ü", '"q"', "tab\t", "--output=x", ":(top)y"];
    for (const name of names) write(name, "x");
    expect(await changes(from)).toEqual(names.toSorted());
  });

  it("runs no program that the repository names", async () => {
    git("config", "core.fsmonitor", "touch pwned-by-fsmonitor; false");
    git("config", "diff.external", "touch pwned-by-diff");
    const from = await base();
    write("a.txt", "changed");
    expect(await changes(from)).toEqual(["a.txt"]);
  });

  it("works in a repository without a commit, and reports a folder that is none", async () => {
    rmSync(join(cwd, ".git"), { recursive: true });
    expect(await gitBase({ cwd })).toEqual({ problem: expect.stringContaining("not a git repository") as string });
    git("init", "-q");
    const from = await base();
    write("late.txt", "x");
    expect(await changes(from)).toEqual(["late.txt"]);
    expect(await gitBase({ cwd, signal: AbortSignal.abort() })).toEqual({ problem: "aborted" });
  });
});
