import childProcess from "node:child_process";
import workerThreads from "node:worker_threads";
import { childWorld, enterWorld } from "./current-world.ts";
import { replaceMembers } from "./replace-members.ts";
import { parseWorld, type ReplayWorld, WORLD_VARIABLE, worldText } from "./replay-world.ts";

/** Threads are told by the thread that starts them, whatever environment they are given. */
const THREAD_KEY = "runproof.replay-world";

/** The world this process or thread was started in. */
function inheritedWorld(): ReplayWorld | undefined {
  const told = workerThreads.isMainThread ? undefined : workerThreads.getEnvironmentData(THREAD_KEY);
  return parseWorld(typeof told === "string" ? told : process.env[WORLD_VARIABLE]);
}

/** Enters it; also when a process that waited is given the environment of its replay. False outside a replay. */
export function enterInheritedWorld(): boolean {
  const world = inheritedWorld();
  if (world !== undefined) enterWorld(world);
  return world !== undefined;
}

/**
 * Hands the world on to threads and processes, with an origin of its own to each: two of them must not make the same
 * ids. Where they are given another environment, what loads this into Node is put back into it.
 */
export function handWorldOn(): void {
  replaceMembers(workerThreads, { Worker: inheritingWorker() });
  const processes = childProcess.ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): unknown };
  const { spawn } = processes;
  replaceMembers(processes, {
    spawn(this: unknown, options: SpawnOptions) {
      return spawn.call(this, withWorld(options));
    },
  });
  for (const name of ["spawnSync", "execFileSync", "execSync"] as const) {
    replaceMembers(childProcess, { [name]: inheritingSync(childProcess[name] as Sync) });
  }
}

/** What Node's own functions give to `ChildProcess.prototype.spawn`. */
interface SpawnOptions {
  readonly envPairs?: readonly string[];
}

function withWorld(options: SpawnOptions): SpawnOptions {
  const pairs = (options.envPairs ?? []).filter((pair) => !pair.startsWith(`${WORLD_VARIABLE}=`));
  const given = Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), true]));
  const added = Object.entries(worldEnvironment(given)).map(([name, value]) => `${name}=${value}`);
  return Object.assign(options, { envPairs: [...pairs, ...added] });
}

type Sync = (...args: readonly unknown[]) => unknown;

const inheritingSync =
  (original: Sync): Sync =>
  (...args) => {
    const last = args.at(-1);
    const hasOptions = args.length > 1 && typeof last === "object" && last !== null && !Array.isArray(last);
    const options = (hasOptions ? last : {}) as { readonly env?: NodeJS.ProcessEnv };
    const env = options.env ?? process.env;
    const known = hasOptions ? args.slice(0, -1) : args.filter((arg) => arg !== undefined);
    return original(...known, { ...options, env: { ...env, ...worldEnvironment(env) } });
  };

function inheritingWorker() {
  return class Worker extends workerThreads.Worker {
    constructor(filename: string | URL, options: workerThreads.WorkerOptions = {}) {
      workerThreads.setEnvironmentData(THREAD_KEY, worldText(childWorld()));
      const { env } = options;
      const isOwn = typeof env === "object" && env !== null;
      super(filename, isOwn ? { ...options, env: { ...env, ...worldEnvironment(env) } } : options);
    }
  };
}

/** The variables of a process to be started, where `given` is the rest of its environment. */
function worldEnvironment(given: object): Record<string, string> {
  const { NODE_OPTIONS } = process.env;
  const isMissing = NODE_OPTIONS !== undefined && !Object.hasOwn(given, "NODE_OPTIONS");
  return { [WORLD_VARIABLE]: worldText(childWorld()), ...(isMissing ? { NODE_OPTIONS } : {}) };
}
