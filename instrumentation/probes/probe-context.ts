import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** What every probe needs to know. Probes never throw: a failure is an observation. */
export interface ProbeContext {
  /** Relative paths are taken from here. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
  /** For the whole probe. Default 10,000. */
  readonly timeoutMillis?: number;
}

export const PROBE_TIMEOUT_MILLIS = 10_000;

/** Aborts at the probe's deadline or when the caller does. */
export function probeSignal({ signal, timeoutMillis = PROBE_TIMEOUT_MILLIS }: ProbeContext): AbortSignal {
  const deadline = AbortSignal.timeout(timeoutMillis);
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
}

/** Path of a reference: absolute, relative to `cwd`, or a `file:` URL. Throws on what is none. */
export function pathOfRef(ref: string, cwd: string): string {
  if (ref.startsWith("file:")) return fileURLToPath(ref);
  if (ref.includes("\0")) throw new Error("a path cannot hold NUL");
  return isAbsolute(ref) ? ref : resolve(cwd, ref);
}

/** Why a probe failed, in a few words. */
export function failureText(error: unknown, signal: AbortSignal): string {
  if (signal.aborted)
    return signal.reason instanceof Error && signal.reason.name === "TimeoutError" ? "timed out" : "aborted";
  const message = error instanceof Error ? error.message : String(error);
  // A system error goes on with the absolute path: a detail of this machine that makes equal failures look different.
  const text = (error as NodeJS.ErrnoException | undefined)?.syscall === undefined ? message : message.split(",", 1)[0];
  return (text ?? message).slice(0, 500);
}

export const isMissing = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR"].includes(String((error as NodeJS.ErrnoException | undefined)?.code));

/** Rejects when the signal aborts: a stuck file system must not hold up the run's close. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Whoever stopped waiting does not hear of a late failure, and nobody else may: it would end the agent's process.
  work.catch(() => {});
  return new Promise((resolveWork, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolveWork, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
