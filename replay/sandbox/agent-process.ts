import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { ToChild, ToParent } from "./messages.ts";
import { endProcessGroup } from "./process-group.ts";

/** What the worker hears of the process that runs the agent. `over` comes once, `failed` instead of everything else. */
export interface AgentProcessListener {
  message(message: ToParent): void;
  failed(reason: string): void;
  over(end: { readonly code: number | null; readonly signal: string | null }): void;
}

/** A started process that runs the agent's code, in whatever walls. */
export interface AgentProcess {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  send(message: ToChild): void;
  listen(listener: AgentProcessListener): void;
  /** Kills it and everything it started; resolves when the output was read. */
  end(): Promise<void>;
}

/** A forked child, which talks over Node's own channel. */
export const forkedProcess = (child: ChildProcess): AgentProcess => ({
  stdout: child.stdout,
  stderr: child.stderr,
  send: (message) => void child.send(message, () => {}),
  listen({ message, failed, over }) {
    child.on("message", message);
    child.once("error", (error) => failed(error.message));
    child.once("close", (code, signal) => over({ code, signal }));
  },
  end: () => endProcessGroup(child),
});
