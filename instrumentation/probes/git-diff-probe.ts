import { execFile } from "node:child_process";
import { lstat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { abortable, failureText, probeSignal, type ProbeContext } from "./probe-context.ts";

/** The state of a work tree when a run began. */
export interface GitBase {
  readonly root: string;
  /** Commit the run started from; git's empty tree in a repository without one. */
  readonly commit: string;
  /** Files that already differed from the commit, or were ignored, with a fingerprint: what the run left alone is not its change. */
  readonly before: ReadonlyMap<string, string>;
}

export type GitObservation<T> = { readonly value: T } | { readonly problem: string };

const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 20_000;
const EMPTY_TREE = ["hash-object", "-t", "tree", "/dev/null"];
/** Nothing of the user's or the repository's configuration may run programs or shorten the answer. */
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"];

/** Takes the base of a later diff. Call it when the run starts. */
export async function gitBase(context: ProbeContext): Promise<GitObservation<GitBase>> {
  const signal = probeSignal(context);
  try {
    const root = (await git(context.cwd, ["rev-parse", "--show-toplevel"], signal)).replace(/\r?\n$/, "");
    const head = git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], signal);
    const commit = (await head.catch(() => git(root, EMPTY_TREE, signal))).trim();
    const differing = await filesUnlike(root, commit, signal);
    return { value: { root, commit, before: await fingerprints(root, differing, signal) } };
  } catch (error) {
    return { problem: failureText(error, signal) };
  }
}

/**
 * Files changed since the base, relative to `cwd` with `/` between folders, sorted: modified, added, deleted, untracked,
 * ignored ones too, whether committed meanwhile or not. A renamed file counts under both names. Folders that git
 * ignores as a whole (`node_modules/`) are not looked into.
 */
export async function probeGitDiff(base: GitBase, context: ProbeContext): Promise<GitObservation<string[]>> {
  const signal = probeSignal(context);
  try {
    const differing = await filesUnlike(base.root, base.commit, signal);
    const now = await fingerprints(base.root, new Set([...differing, ...base.before.keys()]), signal);
    const changed = [...now].filter(([file, fingerprint]) => base.before.get(file) !== fingerprint);
    const from = await git(context.cwd, ["rev-parse", "--show-prefix"], signal);
    const workspace = join(base.root, from.replace(/\r?\n$/, ""));
    const paths = changed.map(([file]) => relative(workspace, join(base.root, file)).split(sep).join("/"));
    return { value: paths.toSorted() };
  } catch (error) {
    return { problem: failureText(error, signal) };
  }
}

/** Files whose content differs from the commit, and ignored files; relative to the root. */
async function filesUnlike(root: string, commit: string, signal: AbortSignal): Promise<Set<string>> {
  const others = ["ls-files", "--others", "--exclude-standard", "-z"];
  const diff = ["diff", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z", commit, "--"];
  const [changed, untracked, ignored] = await Promise.all([
    git(root, diff, signal),
    git(root, others, signal),
    git(root, [...others, "--ignored", "--directory"], signal),
  ]);
  // An untracked folder (`nested/`) is a repository of its own; an ignored one is not looked into.
  const ignoredFiles = ignored.split("\0").filter((file) => !file.endsWith("/"));
  const files = new Set(
    [...changed.split("\0"), ...untracked.split("\0"), ...ignoredFiles].filter((file) => file !== ""),
  );
  if (files.size > MAX_FILES) throw new Error(`${files.size} changed files, over the limit of ${MAX_FILES}`);
  return files;
}

/** Cheap identities: size and times in nanoseconds. The change time cannot be set by a program. */
async function fingerprints(
  root: string,
  files: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const result = new Map<string, string>();
  for (const file of files) {
    const stat = await abortable(
      lstat(join(root, file), { bigint: true }).catch(() => undefined),
      signal,
    );
    result.set(file, stat === undefined ? "absent" : `${stat.mode}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`);
  }
  return result;
}

function git(cwd: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  const options = {
    cwd,
    signal,
    maxBuffer: MAX_OUTPUT_BYTES,
    env: { ...env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" },
  };
  return new Promise((resolve, reject) => {
    execFile("git", [...SAFE, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() === "" ? error.message : stderr.trim(), { cause: error }));
    });
  });
}
