import { constants } from "node:os";
import { failOpen, failOpenAsync } from "../../instrumentation/fail-open.ts";

/** What has to happen when the process ends. None of it may throw; `send` may take longer than anybody waits. */
export interface ProcessEnd {
  /** Whether there is anything to send, and somebody who takes it. */
  readonly isWorthWaiting: () => boolean;
  readonly send: () => Promise<void>;
  /** The agent's work is done: closes the run of the process, and sends. */
  readonly finish: () => Promise<void>;
  /** Puts what is unsent on disk, synchronously. */
  readonly keepUnsent: () => void;
  /** Records that all open runs end with the process; for ends that skip `exit`. */
  readonly endRuns: (exitCode: number) => Promise<void>;
}

/** Longest time that the end of a process is put off. */
const MAX_DELAY_MILLIS = 2_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Sends what is unsent when the agent's work is done or a signal ends it, within two seconds, and leaves on disk what
 * remains; `process.exit()` and uncaught errors leave it on disk at once. The process ends as it would without us: exit
 * code, signal, and handlers of the agent's own.
 */
export function watchProcessEnd(end: ProcessEnd): void {
  process.on("beforeExit", () => {
    if (end.isWorthWaiting()) void within(end.finish);
  });
  process.on("exit", () => failOpen("keeping what is unsent", end.keepUnsent, undefined));
  for (const signal of SIGNALS) watchSignal(signal, end);
}

function watchSignal(signal: NodeJS.Signals, end: ProcessEnd): void {
  const onSignal = (): void => {
    // Gone before the agent's own handlers look who else is there: some end the process only if they are alone.
    process.removeListener(signal, onSignal);
    failOpen("keeping what is unsent", end.keepUnsent, undefined);
    if (process.listenerCount(signal) === 0) void endBy(signal, end);
    else if (end.isWorthWaiting()) void within(end.send);
  };
  process.prependListener(signal, onSignal);
}

/** Nobody else handles the signal: the process ends by it, as if we had not been there. */
async function endBy(signal: NodeJS.Signals, end: ProcessEnd): Promise<void> {
  await within(async () => {
    await end.endRuns(128 + constants.signals[signal]);
    await end.send();
  });
  failOpen("keeping what is unsent", end.keepUnsent, undefined);
  process.kill(process.pid, signal);
}

async function within(work: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, MAX_DELAY_MILLIS);
  await Promise.race([failOpenAsync("sending what is unsent", work, undefined), promise]);
  clearTimeout(timer);
}
