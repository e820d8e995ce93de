import { spawn, type ChildProcess } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import type { VerificationObservation } from "../contract/evidence.ts";
import { failureText, pathOfRef, PROBE_TIMEOUT_MILLIS, type ProbeContext } from "./probe-context.ts";

export interface CommandTarget {
  /** Program and arguments; no shell sees them. */
  readonly command: readonly string[];
  /** Relative to the context's. Default ".". */
  readonly cwd?: string;
  /** Names of further variables the command may see. */
  readonly env?: readonly string[];
}

/** Enough to find and run programs; no secrets, and no `NODE_OPTIONS` that would instrument the command. */
const VISIBLE = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "CI"];
const VISIBLE_ON_WINDOWS = ["SystemRoot", "ComSpec", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"];
const TAIL_BYTES = 4_096;
/** How long output is awaited after the command itself ended: a child of it may hold the pipe. */
const DRAIN_MILLIS = 500;

/**
 * Runs the contract's verification command and reports its exit code and the end of its output. At the deadline the
 * whole process group is killed, and what the command left running when it ends goes with it.
 */
export function probeCommand(target: CommandTarget, context: ProbeContext): Promise<VerificationObservation> {
  return new Promise((resolve) => {
    const output = new OutputTail();
    const report = (exitCode: number | null, timedOut: boolean): void =>
      resolve({ command: target.command, exitCode, timedOut, ...output.result() });
    const failed = (error: unknown): void => {
      output.add(Buffer.from(`could not run: ${failureText(error, NEVER)}`));
      report(null, false);
    };
    try {
      const child = launch(target, context);
      child.stdout?.on("data", (chunk: Buffer) => output.add(chunk));
      child.stderr?.on("data", (chunk: Buffer) => output.add(chunk));
      supervise(child, context, report, failed);
    } catch (error) {
      failed(error);
    }
  });
}

const NEVER = new AbortController().signal;

function launch({ command, cwd = ".", env = [] }: CommandTarget, context: ProbeContext): ChildProcess {
  const [program, ...args] = command;
  if (program === undefined || program === "") throw new Error("the command is empty");
  const names = [...VISIBLE, ...(process.platform === "win32" ? VISIBLE_ON_WINDOWS : []), ...env];
  return spawn(program, args, {
    cwd: pathOfRef(cwd, context.cwd),
    env: Object.fromEntries(
      names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that it can be killed with all its children.
    detached: process.platform !== "win32",
    windowsHide: true,
  });
}

function supervise(
  child: ChildProcess,
  { signal, timeoutMillis = PROBE_TIMEOUT_MILLIS }: ProbeContext,
  report: (exitCode: number | null, timedOut: boolean) => void,
  failed: (error: unknown) => void,
): void {
  let timedOut = false;
  const stop = (): void => killGroup(child);
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutMillis);
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  };
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  child.once("error", (error) => {
    release();
    failed(error);
  });
  child.once("exit", (code) => {
    release();
    stop();
    const finish = (): void => {
      clearTimeout(drain);
      child.stdout?.destroy();
      child.stderr?.destroy();
      report(timedOut ? null : code, timedOut);
    };
    const drain = setTimeout(finish, DRAIN_MILLIS);
    child.once("close", finish);
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Everything of it has ended already.
  }
}

/** Hash of all output and its last 4 KiB, in the order in which it came. */
class OutputTail {
  readonly #hash: Hash = createHash("sha256");
  #tail = Buffer.alloc(0);

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  result(): { readonly outputTail: string; readonly outputSha256: string } {
    // The cut may have split a character: its rest, at most three bytes, goes.
    let start = 0;
    while (this.#tail.length === TAIL_BYTES && start < 3 && ((this.#tail[start] ?? 0) & 0xc0) === 0x80) start++;
    return { outputTail: this.#tail.subarray(start).toString("utf8"), outputSha256: this.#hash.copy().digest("hex") };
  }
}
