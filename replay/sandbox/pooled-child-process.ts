import { type ChildProcess, fork } from "node:child_process";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { answeredCall } from "./answered-call.ts";
import { childEnvironment, type Environment } from "./child-environment.ts";
import { openOtlpTap, type OtlpTap } from "./otlp-tap.ts";
import { outputTail } from "./output-tail.ts";
import type { FromPooledChild, ToPooledChild } from "./pooled-messages.ts";
import { endProcessGroup } from "./process-group.ts";
import { replayEnvironment } from "./replay-environment.ts";
import { agentStart, type ChildOutcome, type ChildRun, type RunChildOptions } from "./run-child.ts";
import { makeWorkFolder, type WorkFolder } from "./work-folder.ts";

export interface PooledChildOptions {
  /**
   * Replays a process may run, one after another. Default 1: every replay has a process of its own, forked ahead. With
   * more, only the agent's own modules are loaded anew and its packages stay loaded; a process in which a replay left
   * something behind is ended all the same.
   */
  readonly usesPerChild?: number;
  /** The environment the allow-list picks from when a process is forked; a replay brings its own. */
  readonly environment: Environment;
  /** Variables that must be there when a process starts (`NODE_EXTRA_CA_CERTS`), by name. */
  readonly passEnvironment?: readonly string[];
  /** BCP 47: the locale processes start in. One that does not fit a replay is replaced. Default the C locale. */
  readonly locale?: string | undefined;
}

/** The C locale, as it looks from inside. */
export const DEFAULT_LOCALE = "en-US-u-va-posix";

/** One process that waits for replays. */
export interface PooledChild {
  /** It started in. */
  readonly locale: string;
  /** Resolves when it waits, or could not be started. */
  ready(): Promise<void>;
  /** One at a time. Nothing of the replay is left when this resolves, unless `isReusable()` says otherwise. */
  run(options: RunChildOptions): Promise<ChildRun>;
  isReusable(): boolean;
  /** Ends the process and all it started. Safe twice and at any time. */
  end(): Promise<void>;
}

/** What a child that is up consists of. */
interface Up {
  readonly child: ChildProcess;
  readonly tap: OtlpTap;
  readonly home: WorkFolder;
}

/** Spans of earlier replays stay in the receiver's memory; beyond this the process is replaced. */
const MAX_BODIES = 100_000;

export function createPooledChild(options: PooledChildOptions): PooledChild {
  const { usesPerChild = 1 } = options;
  let uses = 0;
  let residue: readonly string[] | undefined;
  let ended: Promise<void> | undefined;
  const up = forkChild(options);
  const waits = up.then(({ child }) => readyOrGone(child));
  // Told to the replay that takes it.
  up.catch(() => {});
  waits.catch(() => {});

  async function run(replay: RunChildOptions): Promise<ChildRun> {
    uses++;
    residue = undefined;
    const { child, tap } = await up;
    await waits;
    const folder = await makeWorkFolder(replay.redactionKeyFile, replay.fixture.input.environment?.files);
    const output = [divertedOutput(child.stdout), divertedOutput(child.stderr)] as const;
    const [rows, bodies] = [tap.rows.length, tap.bodies.length];
    try {
      const told = await converse(child, { replay, folder, tap });
      residue = told.residue;
      if (!isReusable()) await endProcessGroup(child);
      const came = { rows: tap.rows.slice(rows), bodies: tap.bodies.slice(bodies) };
      return {
        outcome: told.outcome,
        ...came,
        folder: folder.base,
        stdout: output[0].text(),
        stderr: output[1].text(),
      };
    } finally {
      for (const one of output) one.release();
      await folder.remove();
    }
  }
  function isReusable(): boolean {
    return ended === undefined && residue !== undefined && residue.length === 0 && uses < usesPerChild;
  }
  async function end(): Promise<void> {
    const { child, tap, home } = await up;
    await endProcessGroup(child);
    await tap.close();
    await home.remove();
  }
  return {
    locale: options.locale ?? DEFAULT_LOCALE,
    ready: () => waits.catch(() => {}),
    run,
    isReusable,
    end: () => (ended ??= end().catch(() => {})),
  };
}

async function forkChild({
  environment,
  passEnvironment = [],
  locale = DEFAULT_LOCALE,
}: PooledChildOptions): Promise<Up> {
  const tap = await openOtlpTap();
  const home = await makeWorkFolder();
  const entry = import.meta.url.endsWith(".ts") ? "./pooled-child.ts" : "./pooled-child.js";
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), [tracesUrl(tap)], {
    cwd: home.work,
    detached: true,
    execArgv: process.features.typescript ? [] : ["--experimental-strip-types", "--no-warnings"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: childEnvironment({
      ...NOBODY,
      world: { startUnixMillis: 0, seed: "", locale },
      parent: environment,
      passEnvironment,
      otlpUrl: tap.url,
      baseFolder: home.base,
    }),
  });
  // Without a listener an error would end this process, also one that comes between two replays.
  child.on("error", () => {});
  return { child, tap, home };
}

const tracesUrl = (tap: OtlpTap): string => `${tap.url}/v1/traces`;

/** Whose replay it will be is not known yet. */
const NOBODY = { fixtureId: "", project: "", serviceName: "" };

function readyOrGone(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("message", () => resolve());
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
}

interface Told {
  readonly outcome: ChildOutcome;
  /** `undefined` when the process is over or must be. */
  readonly residue: readonly string[] | undefined;
}

interface Conversation {
  readonly replay: RunChildOptions;
  readonly folder: WorkFolder;
  readonly tap: OtlpTap;
}

/** Answers the child's calls until it rests, ends, hangs, or the caller gives up. */
async function converse(child: ChildProcess, { replay, folder, tap }: Conversation): Promise<Told> {
  const { player, timeoutMillis, signal } = replay;
  const { promise, resolve } = Promise.withResolvers<Told>();
  const over = (outcome: ChildOutcome): void => resolve({ outcome, residue: undefined });
  const tell = (message: ToPooledChild): void => void child.send(message, () => {});
  let outcome: ChildOutcome | undefined;
  const onMessage = (message: FromPooledChild): void => {
    if (message.type === "call") tell(answeredCall(player, message));
    else if (message.type === "outcome") outcome = message.outcome;
    else if (message.type === "rested" && outcome !== undefined)
      resolve({ outcome, residue: tap.bodies.length > MAX_BODIES ? undefined : message.residue });
  };
  const onClose = (): void => over(outcome ?? { type: "exited", code: child.exitCode, signal: child.signalCode });
  const onError = (error: Error): void => over({ type: "not_started", message: error.message });
  const abort = (): void => over({ type: "aborted" });
  const timer = setTimeout(() => over(outcome ?? { type: "timed_out", afterMillis: timeoutMillis }), timeoutMillis);
  child.on("message", onMessage).once("close", onClose).once("error", onError);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  else if (child.connected) tell(beginOf(replay, folder, tap));
  else onClose();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    child.off("message", onMessage).off("close", onClose).off("error", onError);
  }
}

function beginOf(replay: RunChildOptions, folder: WorkFolder, tap: OtlpTap): ToPooledChild {
  const env = replayEnvironment(replay, folder, tap.url);
  const start = { ...agentStart(replay), tracesUrl: tracesUrl(tap) };
  return { type: "begin", start, env, cwd: folder.work };
}

/** The part of a stream that belongs to one replay. */
function divertedOutput(stream: ChildProcess["stdout"]): { text(): string; release(): void } {
  const own = new PassThrough();
  const tail = outputTail(own);
  const onData = (chunk: Buffer): void => void own.write(chunk);
  stream?.on("data", onData);
  return {
    text: tail.text,
    release() {
      stream?.off("data", onData);
      // Without a reader the pipe would fill up and stop the process.
      stream?.resume();
    },
  };
}
