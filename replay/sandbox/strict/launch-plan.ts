import type { FileRights } from "./landlock.ts";

/** What the launcher is to do; made by the worker, handed on in the environment, because arguments can be read by all. */
export interface LaunchPlan {
  readonly files: FileRights;
  /** `if_there`: bubblewrap's mounts decide about files as well, so an older kernel will do. */
  readonly landlock: "required" | "if_there";
  /** The agent's runtime, its arguments (the first is its own name) and its whole environment. */
  readonly program: string;
  readonly programArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What the launcher itself is started through: `bwrap` and its arguments, or nothing. */
  readonly wrapper: readonly string[];
}

export const PLAN_VARIABLE = "RUNPROOF_STRICT_PLAN";

/** File descriptors of the supervisor and, the first two, of the agent. */
export const CHANNEL_FD = 3;
export const LEDGER_FD = 4;
/** In the launcher: where the notifier's file descriptor is handed over. */
export const HANDOVER_FD = 4;

export function takePlan(): LaunchPlan {
  const text = process.env[PLAN_VARIABLE];
  delete process.env[PLAN_VARIABLE];
  if (text === undefined) throw new Error(`${PLAN_VARIABLE} is not set; only the worker starts this`);
  return JSON.parse(text) as LaunchPlan;
}
