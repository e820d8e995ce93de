import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { AgentModule } from "../sandbox/run-child.ts";
import { linkPackages } from "./linked-packages.ts";
import type { Repository } from "./repository.ts";

/** A commit, and which module of it is the agent. */
export interface AgentAtCommit {
  readonly commit: string;
  /** From the repository's root. */
  readonly module: string;
  readonly exportName: string;
  readonly passEnvironment: readonly string[];
  readonly native: boolean;
  readonly opensNoRun?: boolean | undefined;
}

export type CheckedOut<Result> =
  | { readonly ok: true; readonly result: Result }
  /** The commit cannot be checked out, or has no such module. */
  | { readonly ok: false; readonly reason: string };

const PREFIX = "runproof-worktree-";

/**
 * Checks a commit out into a worktree of its own in the system's temporary folder, and hands `use` the agent's module in
 * there. Nothing of it is left when this settles, also when `use` throws or `signal` aborts.
 */
export async function withWorktree<Result>(
  repository: Repository,
  agent: AgentAtCommit,
  use: (module: AgentModule) => Promise<Result>,
  signal?: AbortSignal,
): Promise<CheckedOut<Result>> {
  // The process in the name tells a left-over from a folder that is in use.
  const base = await realpath(await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`)));
  const path = join(base, "checkout");
  try {
    const add = ["worktree", "add", "--quiet", "--detach", "--", path, agent.commit];
    const added = await repository.git.run(add, { signal });
    if (!added.ok) return { ok: false, reason: `${agent.commit} cannot be checked out: ${added.stderr}` };
    await linkPackages(repository.root, path, agent.module);
    const file = await moduleIn(path, agent.module);
    if (file === undefined) return { ok: false, reason: `${agent.commit} has no module ${agent.module}` };
    const { exportName, passEnvironment, native, opensNoRun } = agent;
    const code = { module: pathToFileURL(file).href, exportName, passEnvironment, native, opensNoRun };
    return { ok: true, result: await use(code) };
  } finally {
    await removeWorktree(repository, base);
  }
}

/** Removes what a killed runproof left behind: worktrees of this repository, made by a process that is gone. */
export async function removeLeftOvers(repository: Repository): Promise<void> {
  const temporary = await realpath(tmpdir());
  const { stdout } = await repository.git.run(["worktree", "list", "--porcelain", "-z"]);
  const paths = stdout.split("\0").flatMap((line) => (line.startsWith("worktree ") ? [line.slice(9)] : []));
  for (const base of paths.map(dirname).filter((it) => dirname(it) === temporary)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(basename(base))?.[1] ?? Number.NaN);
    if (Number.isSafeInteger(pid) && !isRunning(pid)) await removeWorktree(repository, base);
  }
}

/** Not interruptible: it is what an interrupt leads to. Rejects when the folder cannot be removed. */
async function removeWorktree({ git }: Repository, base: string): Promise<void> {
  // Twice --force: an interrupted `worktree add` leaves a locked one.
  const remove = ["worktree", "remove", "--force", "--force", "--", join(base, "checkout")];
  const { ok } = await git.run(remove);
  await rm(base, { recursive: true, force: true, maxRetries: 3 });
  // One that was half made is refused while its folder is there.
  if (!ok) await git.run(remove);
}

/** The module without links, as long as it is inside: a committed link would run code that is not the ref's. */
async function moduleIn(worktree: string, module: string): Promise<string | undefined> {
  const file = await realpath(join(worktree, module)).catch(() => undefined);
  return file?.startsWith(worktree + sep) === true ? file : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
