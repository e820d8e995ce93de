import { realpath } from "node:fs/promises";
import type { Environment } from "../sandbox/child-environment.ts";
import { createGit, type Git, GitError } from "./git.ts";

/** The repository that a command works on, and its main checkout. */
export interface Repository {
  /** The checkout's top folder, without links. */
  readonly root: string;
  /** Git in that folder. */
  readonly git: Git;
}

const OBJECT_ID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Opens the repository around `directory`. Throws `GitError` where there is none. */
export async function openRepository(directory: string, environment: Environment): Promise<Repository> {
  const answer = await createGit(directory, environment).run(["rev-parse", "--show-toplevel"]);
  const root = answer.stdout.replace(/\r?\n$/, "");
  if (!answer.ok || root === "") throw new GitError(`${directory} is in no git checkout: ${answer.stderr}`);
  const real = await realpath(root);
  return { root: real, git: createGit(real, environment) };
}

/** The commit that a checked ref names; `undefined` when this repository has none such. */
export const resolveCommit = ({ git }: Repository, ref: string): Promise<string | undefined> =>
  objectId(git, `${ref}^{commit}`);

/** Object id of a file or folder of a commit (`""` is its root); `undefined` when the commit has none such. */
export const objectAt = ({ git }: Repository, commit: string, path: string): Promise<string | undefined> =>
  objectId(git, `${commit}:${path}`);

async function objectId(git: Git, name: string): Promise<string | undefined> {
  const { ok, stdout } = await git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
  const id = stdout.trim();
  return ok && OBJECT_ID.test(id) ? id : undefined;
}

export interface CommitInfo {
  readonly commit: string;
  readonly subject: string;
  readonly author: string;
  /** ISO 8601, as the author's clock and zone had it. */
  readonly authorDate: string;
}

/** Subject, author and date of a commit, as written there: untrusted text. */
export async function commitInfo({ git }: Repository, commit: string): Promise<CommitInfo> {
  const format = "--format=%aI%x00%an%x00%s";
  const { stdout } = await git.run(["log", "-1", "--no-walk", "--no-notes", format, "--end-of-options", commit]);
  const [authorDate = "", author = "", subject = ""] = stdout.trimEnd().split("\0");
  return { commit, subject, author, authorDate };
}
