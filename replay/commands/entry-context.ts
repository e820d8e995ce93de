import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";

/**
 * The context of an entry file's process. The first SIGINT or SIGTERM ends the work in order, a second one at once, by an
 * exit of its own: the first process of a container would ignore the signal's default.
 */
export function entryContext(process: NodeJS.Process): CommandContext {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(EXIT.interrupted);
    interrupted.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
  };
}
