import { fork, type ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { EngineFailureCode, FromEngine, ToEngine } from "./engine-messages.ts";

/** Why the embedded engine cannot serve. */
export class EmbeddedEngineError extends Error {
  readonly code: EngineFailureCode;

  constructor(code: EngineFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EmbeddedEngineError";
    this.code = code;
  }
}

export interface EngineChild {
  readonly pid: number | undefined;
  readonly port: number;
  /** Parts that the engine could not read when it opened its directory, `table/part`. */
  readonly detached: readonly string[];
  /** Resolves with the way it ended. */
  readonly exited: Promise<string>;
  isAlive(): boolean;
  /** Perhaps in vain: the child may be ending. */
  send(message: ToEngine): void;
  onMessage(listener: (message: FromEngine) => void): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
  /** Asks it to drain and waits; kills it after `STOP_MILLIS`. */
  stop(): Promise<void>;
}

/** Opening a large directory takes a while; a process that says nothing for this long will not serve. */
const START_MILLIS = 60_000;
/** Longer than the child's own drain. */
const STOP_MILLIS = 15_000;

export interface EngineChildOptions extends Omit<Extract<ToEngine, { type: "start" }>, "type"> {
  /** Module to run as the child. Default: the engine's own. */
  readonly entry?: string;
  /** Hears everything from the first moment on, also what the child says before it serves. */
  readonly onMessage?: (message: FromEngine) => void;
}

/** Starts the child and waits until it serves. @throws EmbeddedEngineError */
export async function startEngineChild(given: EngineChildOptions): Promise<EngineChild> {
  const { entry = entryPath(), onMessage = () => undefined, ...options } = given;
  const child = fork(entry, [], {
    execArgv: YOUNG_GENERATION,
    // The engine reads a `config.xml` that lies where it is started; the folder of whoever starts us is not ours to trust.
    cwd: "/",
    // A group of its own: a Ctrl-C in the terminal must not end the engine before its parent has finished with it.
    detached: true,
    env: childEnvironment(),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  yieldToOthers(child.pid);
  const errors = tailOf(child);
  child.on("message", onMessage);
  const exited = new Promise<string>((settle) => {
    child.once("exit", (code, signal) => settle(signal ?? `exit code ${code}`));
  });
  child.on("error", () => undefined);
  // Whoever ends at once leaves nobody behind who cannot hear it: a hung child would keep the directory locked.
  const abandon = (): void => void child.kill("SIGKILL");
  process.once("exit", abandon);
  void exited.then(() => process.off("exit", abandon));
  const start = { ...options, dataDirectory: resolve(options.dataDirectory) };
  const ready = await readiness(child, start, exited).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error instanceof EmbeddedEngineError ? withTail(error, errors()) : error;
  });
  return {
    pid: child.pid,
    port: ready.port,
    detached: ready.detached ?? [],
    exited,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    onMessage: (listener) => void child.on("message", listener),
    kill: () => void child.kill("SIGKILL"),
    async stop() {
      if (child.connected) child.send({ type: "shutdown" } satisfies ToEngine, () => undefined);
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Queries and merges take every core there is; whoever waits for an acknowledgement, and agents, come first. */
function yieldToOthers(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It may have ended already, or the system does not allow it: then all are equal.
  }
}

/** Compiled code starts the compiled entry, sources start the source: both lie beside this file. */
function entryPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./engine-process.${extension}`, import.meta.url));
}

/**
 * The engine's jemalloc: memory of finished merges goes back to the system within half a second, and not every one of
 * its hundred threads gets an arena of its own (100 MiB less resident at 10,000 spans/s, no slower).
 */
const ALLOCATOR = "dirty_decay_ms:500,muzzy_decay_ms:500,narenas:4";

/**
 * glibc's, which chDB (3.4.0) takes most of its memory from: two arenas instead of sixteen, and blocks of a megabyte and
 * more go back when they are freed (90 MiB less resident at 10,000 spans/s, no slower). Bytes.
 */
const SYSTEM_ALLOCATOR = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_MMAP_THRESHOLD_: "1048576",
};

/** What passes through this process's JavaScript are handles and rows of small answers. */
const YOUNG_GENERATION = ["--max-semi-space-size=2"];

/**
 * Nothing of the parent's but what a process needs. No NODE_OPTIONS: a `--import` of ours would instrument the child.
 * Each running statement holds one thread of the libuv pool; with the default 4, four heavy queries stop all file access.
 */
function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LD_LIBRARY_PATH } = process.env;
  const own = { TZ: "UTC", LC_ALL: "C.UTF-8", UV_THREADPOOL_SIZE: "48", JE_MALLOC_CONF: ALLOCATOR };
  return { PATH, HOME, TMPDIR, LD_LIBRARY_PATH, ...own, ...SYSTEM_ALLOCATOR };
}

function readiness(
  child: ChildProcess,
  options: Omit<Extract<ToEngine, { type: "start" }>, "type">,
  exited: Promise<string>,
): Promise<Extract<FromEngine, { type: "ready" }>> {
  return new Promise((settle, reject) => {
    const fail = (code: EngineFailureCode, message: string) => reject(new EmbeddedEngineError(code, message));
    const timer = setTimeout(() => fail("start_failed", "The embedded engine did not start in time."), START_MILLIS);
    void exited.then((how) => fail("start_failed", `The embedded engine ended while starting (${how}).`));
    const listen = (message: FromEngine): void => {
      if (message.type === "ready") settle(message);
      else if (message.type === "failed") fail(message.code, message.message);
      else return;
      clearTimeout(timer);
      child.off("message", listen);
    };
    child.on("message", listen);
    void exited.then(() => clearTimeout(timer));
    child.send({ type: "start", ...options } satisfies ToEngine, () => undefined);
  });
}

/** The last lines of stderr: where the engine says why it could not open its directory. */
function tailOf(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-2_000);
  });
  return () => tail;
}

function withTail(error: EmbeddedEngineError, tail: string): EmbeddedEngineError {
  if (error.code !== "start_failed" || tail === "") return error;
  if (/lock file|already running/i.test(tail)) {
    return new EmbeddedEngineError("directory_in_use", "Another process uses the data directory.", { cause: error });
  }
  return new EmbeddedEngineError(error.code, `${error.message}\n${tail.trim()}`, { cause: error });
}
