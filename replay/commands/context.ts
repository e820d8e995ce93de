import type { Environment } from "../sandbox/child-environment.ts";

/** What a command may touch of its process. The entry files make it; commands return an exit code. */
export interface CommandContext {
  readonly env: Environment;
  readonly cwd: string;
  /** Results only. */
  readonly stdout: NodeJS.WriteStream;
  /** Progress, notes and errors. */
  readonly stderr: NodeJS.WriteStream;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
