import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { AgentProcess } from "../agent-process.ts";
import type { ToParent } from "../messages.ts";
import { endProcessGroup } from "../process-group.ts";
import type { WorkFolder } from "../work-folder.ts";
import { bubblewrapCommand } from "./bubblewrap.ts";
import { fileRights } from "./file-rights.ts";
import { readJsonLines } from "./json-lines.ts";
import { CHANNEL_FD, LEDGER_FD, type LaunchPlan, PLAN_VARIABLE } from "./launch-plan.ts";
import type { Ledger } from "./ledger.ts";
import { seccompFilter } from "./seccomp-filter.ts";
import { isKnownMachine } from "./syscall-numbers.ts";
import type { Wall } from "./walls.ts";

export interface StrictProcessOptions {
  readonly wall: Wall;
  /** File URL of the agent's module. */
  readonly module: string;
  readonly native: boolean;
  readonly folder: WorkFolder;
  /** The whole environment of the agent. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ledger: Ledger;
}

/** Starts the agent's process behind a wall. Whether the wall stands is for the canary to say. */
export function startStrictProcess(options: StrictProcessOptions): AgentProcess {
  const child = options.wall.kind === "bubblewrap" ? spawnBubblewrap(options) : spawnSupervisor(options);
  const channel = child.stdio[CHANNEL_FD] as Duplex;
  const lines = options.wall.kind === "bubblewrap" ? null : (child.stdio[LEDGER_FD] as Readable);
  if (lines !== null) readJsonLines(lines, options.ledger.fromSystem);
  // The other end may be gone while this one writes.
  channel.on("error", () => {});
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    send: (message) => void channel.write(`${JSON.stringify(message)}\n`),
    listen({ message, failed, over }) {
      readJsonLines(channel, (value) => message(value as ToParent));
      child.once("error", (error) => failed(error.message));
      child.once("close", (code, signal) => {
        // The supervisor's own end says nothing of the agent's.
        if (lines === null) over({ code, signal });
        else void Promise.race([options.ledger.ended, Promise.resolve({ code: null, signal })]).then(over);
      });
    },
    end: () => endProcessGroup(child),
  };
}

function spawnSupervisor(options: StrictProcessOptions): ChildProcess {
  const { wall, folder, environment } = options;
  const files = fileRights(options.module, folder.base);
  const plan: LaunchPlan = {
    files,
    landlock: wall.bwrap === null ? "required" : "if_there",
    program: process.execPath,
    programArguments: agentArguments(options.native),
    environment,
    wrapper: wall.bwrap === null ? [] : bubblewrapCommand(wall.bwrap, files, folder.work),
  };
  return spawn(process.execPath, ["--no-warnings", ownFile("supervisor")], {
    cwd: folder.work,
    // A group of its own: the agent cannot leave it, so that all of it ends together.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    env: { [PLAN_VARIABLE]: JSON.stringify(plan) },
  });
}

function spawnBubblewrap(options: StrictProcessOptions): ChildProcess {
  const { wall, folder, environment } = options;
  if (wall.bwrap === null || !isKnownMachine(process.arch)) throw new Error("this wall needs bubblewrap");
  const [command = "", ...wrapped] = bubblewrapCommand(
    wall.bwrap,
    fileRights(options.module, folder.base),
    folder.work,
  );
  const file = join(folder.base, "state", "filter");
  writeFileSync(file, seccompFilter({ machine: process.arch, on: "errno" }));
  const filter = openSync(file, "r");
  try {
    const isolated = ["--seccomp", String(LEDGER_FD), ...wrapped];
    return spawn(command, [...isolated, process.execPath, ...agentArguments(options.native).slice(1)], {
      cwd: folder.work,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe", filter],
      env: { ...environment, NODE_CHANNEL_FD: String(CHANNEL_FD) },
    });
  } finally {
    closeSync(filter);
  }
}

/** Node's own belts, as far as this version has them; they are inside the process and hold nobody who is determined. */
function agentArguments(native: boolean): string[] {
  const belts = ["--disable-sigusr1", ...(native ? [] : ["--no-addons"])];
  return [
    process.execPath,
    ...belts.filter((flag) => process.allowedNodeEnvironmentFlags.has(flag)),
    ...(process.features.typescript ? [] : ["--experimental-strip-types", "--no-warnings"]),
    ownFile("../child"),
  ];
}

/** From sources under Node's type stripping, or built. */
const ownFile = (name: string): string =>
  fileURLToPath(new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url));
