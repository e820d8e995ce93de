import { execFile } from "node:child_process";
import type { Environment } from "../sandbox/child-environment.ts";

/** What one git command said. A failing command is data; only a git that cannot be run is an exception. */
export interface GitAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Git in one folder. Arguments are never seen by a shell. */
export interface Git {
  run(args: readonly string[], options?: GitRunOptions): Promise<GitAnswer>;
}

export interface GitRunOptions {
  /** Ends the command; it then answers like one that failed. */
  readonly signal?: AbortSignal | undefined;
}

/** Git is missing, or the folder is in no repository. */
export class GitError extends Error {
  readonly code = "RUNPROOF_GIT";
}

/**
 * Nothing of the repository runs and nothing leaves the machine: no hooks, no file-system monitor, no submodules, no
 * housekeeping, no missing objects fetched from a remote, no prompts, no signature programs, no pathspec magic.
 */
const QUIET = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["submodule.recurse", "false"],
  ["protocol.allow", "never"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["log.showSignature", "false"],
  ["advice.detachedHead", "false"],
].flatMap(([key, value]) => ["-c", `${key}=${value}`]);

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Handed on; `GIT_*` of a hook or an IDE would point git at another repository. */
const INHERITED = ["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT"] as const;

export function createGit(directory: string, environment: Environment): Git {
  const inherited = INHERITED.flatMap((name): [string, string][] => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  const env = {
    ...Object.fromEntries(inherited),
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
    // Large files stay pointers: fetching them would leave the machine.
    GIT_LFS_SKIP_SMUDGE: "1",
  };
  const options = { cwd: directory, env, encoding: "utf8", maxBuffer: MAX_OUTPUT_BYTES } as const;
  return {
    run(args, { signal } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<GitAnswer>();
      const argv = ["--literal-pathspecs", "--no-pager", ...QUIET, ...args];
      execFile("git", argv, { ...options, ...(signal && { signal }) }, (error, stdout, stderr) => {
        if (error?.code === "ENOENT") reject(new GitError("git is not installed, or not in PATH", { cause: error }));
        else resolve({ ok: error === null, stdout, stderr: stderr.trim() });
      });
      return promise;
    },
  };
}
