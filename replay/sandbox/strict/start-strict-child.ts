import { setTimeout as sleep } from "node:timers/promises";
import type { AgentProcess, AgentProcessListener } from "../agent-process.ts";
import type { ToParent } from "../messages.ts";
import { outputTail } from "../output-tail.ts";
import type { WorkFolder } from "../work-folder.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { startStrictProcess } from "./strict-process.ts";
import { findWalls, thisHost, type Wall } from "./walls.ts";
import { openWitness, type Witness } from "./witness.ts";

export interface StrictChildOptions {
  /** File URL of the agent's module. */
  readonly module: string;
  readonly native: boolean;
  readonly folder: WorkFolder;
  /** The whole environment of the agent. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where `bwrap` is looked for. */
  readonly searchPath: string;
  /** Default: those this machine offers. */
  readonly walls?: readonly Wall[];
}

export type StrictStart =
  | { readonly outcome: "started"; readonly wall: Wall["kind"]; readonly child: AgentProcess; readonly ledger: Ledger }
  /** No wall stands. No code of the agent was loaded. */
  | { readonly outcome: "unavailable"; readonly reason: string };

/**
 * Starts a process behind the first wall that proves itself: a canary inside tries every way out, and nothing arrives.
 * The process then waits for `start`, as a forked one does after `ready`.
 */
export async function startStrictChild(options: StrictChildOptions): Promise<StrictStart> {
  const found = findWalls(thisHost(options.searchPath));
  const reasons = [...found.missing];
  const witness = await openWitness();
  try {
    for (const wall of options.walls ?? found.walls) {
      const tried = await tryWall(wall, witness, options);
      if (typeof tried !== "string") return tried;
      reasons.push(`${wall.kind}: ${tried}`);
    }
  } finally {
    await witness.close();
  }
  return { outcome: "unavailable", reason: reasons.join("; ") };
}

/** The process, or why the wall does not stand. */
async function tryWall(wall: Wall, witness: Witness, options: StrictChildOptions): Promise<StrictStart | string> {
  const ledger = createLedger();
  const child = startStrictProcess({ ...options, wall, ledger });
  const stderr = outputTail(child.stderr);
  const heard = hear(child);
  const problem = await canaryProblem(heard, { child, witness, ledger, wall });
  if (problem === undefined) return { outcome: "started", wall: wall.kind, child: heard.handedOver(), ledger };
  await child.end();
  const printed = stderr.text().trim().split("\n").slice(-1)[0]?.slice(0, 500);
  return [problem, ...ledger.faults(), ...(printed ? [printed] : [])].join(": ");
}

interface Trial {
  readonly child: AgentProcess;
  readonly witness: Witness;
  readonly ledger: Ledger;
  readonly wall: Wall;
}

const CANARY_DEADLINE_MILLIS = 60_000;
/** What the supervisor must have seen the canary try. */
const SEEN_KINDS = ["network", "file_read", "file_write", "signal"] as const;

async function canaryProblem(heard: Heard, { child, witness, ledger, wall }: Trial): Promise<string | undefined> {
  const deadline = new AbortController();
  const late = sleep(CANARY_DEADLINE_MILLIS, "late" as const, { signal: deadline.signal, ref: false }).catch(
    () => "late" as const,
  );
  try {
    const ready = await Promise.race([heard.ready, heard.gone, late]);
    if (ready !== "ready") return `the process did not start (${ready})`;
    child.send({ type: "canary", witness: witness.address });
    const result = await Promise.race([heard.canary, heard.gone, late]);
    if (typeof result === "string") return `the canary did not answer (${result})`;
    const open = [...new Set([...result, ...(await witness.hits())])];
    if (open.length > 0) return `the canary got out: ${open.join(", ")}`;
    if (wall.kind === "bubblewrap") return undefined;
    if ((await Promise.race([ledger.agentBegins, heard.gone, late])) !== undefined) return "the ledger does not answer";
    const unseen = SEEN_KINDS.filter((kind) => !ledger.canary().some((attempt) => attempt.kind === kind));
    return unseen.length > 0 ? `the ledger did not see the canary's ${unseen.join(", ")}` : undefined;
  } finally {
    deadline.abort();
  }
}

interface Heard {
  readonly ready: Promise<"ready">;
  readonly canary: Promise<readonly string[]>;
  readonly gone: Promise<"ended">;
  /** The process for its next listener, which hears `ready` again and everything after. */
  handedOver(): AgentProcess;
}

function hear(child: AgentProcess): Heard {
  const ready = Promise.withResolvers<"ready">();
  const canary = Promise.withResolvers<readonly string[]>();
  const gone = Promise.withResolvers<"ended">();
  let next: AgentProcessListener | undefined;
  let end: Parameters<AgentProcessListener["over"]>[0] | undefined;
  child.listen({
    message(message: ToParent) {
      if (next !== undefined) next.message(message);
      else if (message.type === "ready") ready.resolve("ready");
      else if (message.type === "canary_result") canary.resolve(message.open.map(String));
    },
    failed: () => gone.resolve("ended"),
    over(how) {
      end = how;
      gone.resolve("ended");
      next?.over(how);
    },
  });
  const handedOver = (): AgentProcess => ({
    ...child,
    listen(listener) {
      next = listener;
      if (end === undefined) listener.message({ type: "ready" });
      else listener.over(end);
    },
  });
  return { ready: ready.promise, canary: canary.promise, gone: gone.promise, handedOver };
}
