import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";

/** Watches a process for what a replay leaves behind in it. */
export interface ProcessWatch {
  /** What is there that was not when `watchProcess()` was called, in words. */
  residue(): string[];
}

const PROTOTYPES = [Object, Array, Function, Promise, String, Number, Error, Map, Set].map(
  (it) => it.prototype as object,
);
/** What keeps the loop alive and so may run code during the next replay. Sockets do not: they are kept for reuse. */
const LIVE = new Set([
  "Timeout",
  "Immediate",
  "ProcessWrap",
  "TCPServerWrap",
  "PipeServerWrap",
  "UDPWrap",
  "MessagePort",
  "FSEventWrap",
  "StatWatcher",
]);
/** Slots that Node, OpenTelemetry and runproof fill on first use. */
const EXPECTED_SYMBOL = /^(?:undici|nodejs|opentelemetry|runproof)\b/;

/**
 * Takes a picture of the process: its globals, the prototypes of the language, listeners, and what keeps it alive.
 * It cannot see variables inside packages, nor a promise that nobody settles.
 */
export function watchProcess(): ProcessWatch {
  const globals = valuesOf(globalThis);
  const prototypes = PROTOTYPES.map(valuesOf);
  const live = liveResources();
  const listeners = new Map(process.eventNames().map((name) => [name, process.listeners(name as string)]));
  const spawned = new Set<ChildProcess>();
  subscribe("child_process", (message) => void spawned.add((message as { process: ChildProcess }).process));
  return {
    residue() {
      removeNewListeners(listeners);
      const found = [
        ...changes(globals, globalThis)
          .filter(isUnexpected)
          .map((key) => `the global ${String(key)}`),
        ...PROTOTYPES.flatMap((it, i) => changes(prototypes[i] ?? new Map(), it)).map(
          (key) => `a prototype's ${String(key)}`,
        ),
        ...[...liveResources()]
          .filter(([kind, count]) => count > (live.get(kind) ?? 0))
          .map(([kind]) => `a live ${kind}`),
        ...(leavesProcesses(spawned) ? ["a child process"] : []),
      ];
      spawned.clear();
      return [...new Set(found)];
    },
  };
}

type Values = ReadonlyMap<PropertyKey, unknown>;

/** Own values by key. Getters are compared by themselves, so that none runs. */
const valuesOf = (object: object): Values =>
  new Map(
    Reflect.ownKeys(object).map((key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      return [key, descriptor?.get ?? descriptor?.value];
    }),
  );

function changes(before: Values, object: object): PropertyKey[] {
  const now = valuesOf(object);
  const keys = new Set([...before.keys(), ...now.keys()]);
  return [...keys].filter((key) => !Object.is(before.get(key), now.get(key)) || before.has(key) !== now.has(key));
}

const isUnexpected = (key: PropertyKey): boolean =>
  typeof key !== "symbol" || !EXPECTED_SYMBOL.test(key.description ?? "");

function liveResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (LIVE.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Whether one of these still runs, or anything that one of them started in our group. */
function leavesProcesses(spawned: ReadonlySet<ChildProcess>): boolean {
  if (spawned.size === 0) return false;
  if ([...spawned].some(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) return true;
  try {
    const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    return others.some((pid) => groupOf(pid) === process.pid);
  } catch {
    // Where nobody can tell, there may be one.
    return true;
  }
}

/** Group of a process that is no zombie; a pool's child leads a group of its own. */
function groupOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command may hold blanks and brackets; state, parent and group follow its last bracket.
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(group);
  } catch {
    return undefined;
  }
}

type Listeners = ReadonlyMap<string | symbol, readonly unknown[]>;

function removeNewListeners(before: Listeners): void {
  for (const name of process.eventNames()) {
    const known = before.get(name) ?? [];
    for (const listener of process.listeners(name as string))
      if (!known.includes(listener)) process.removeListener(name, listener as (...args: unknown[]) => void);
  }
}
