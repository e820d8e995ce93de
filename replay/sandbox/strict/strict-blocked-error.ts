/** Thrown into the agent, or given to its callback, by an operation that strict mode refused. */
export class StrictBlockedError extends Error {
  readonly code = "STRICT_BLOCKED";
  /** The function that was called: `net.connect`. */
  readonly operation: string;
  /** Host and port, path or command. */
  readonly target: string;
  /** Call path of the tool it was made in, or `null`. */
  readonly callPath: string | null;
  constructor(blocked: { operation: string; target: string; callPath: string | null }) {
    const where = blocked.callPath === null ? "" : ` in ${blocked.callPath}`;
    super(`strict replay blocked ${blocked.operation} ${blocked.target}${where}: nothing like it was recorded`);
    this.name = "StrictBlockedError";
    this.operation = blocked.operation;
    this.target = blocked.target;
    this.callPath = blocked.callPath;
  }
}
