import type { CommandContext } from "./context.ts";

/** The context of an entry file's process. The first SIGINT or SIGTERM ends the work in order, a second one at once. */
export function entryContext(process: NodeJS.Process): CommandContext {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
  };
}
