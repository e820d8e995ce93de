import type { MinimiseProgress } from "./minimise-fixture.ts";

const BAR_WIDTH = 24;

/** How much is gone so far, in a line: what is left to do nobody can know. */
export function progressLine({ bytesBefore, bytes, ...progress }: MinimiseProgress, seconds: number): string {
  const share = bytesBefore === 0 ? 0 : Math.max(0, 1 - bytes / bytesBefore);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`;
  const calls = `${progress.interactions} of ${progress.interactionsBefore} calls`;
  return `${bar} ${(share * 100).toFixed(1)} % cut, ${bytes} of ${bytesBefore} bytes, ${calls}, ${progress.candidates} candidates, ${seconds.toFixed(0)} s`;
}

export interface ProgressDisplay {
  show(progress: MinimiseProgress): void;
  /** Takes the bar off a terminal. */
  clear(): void;
}

const TERMINAL_EVERY_MILLIS = 100;
const LINE_EVERY_MILLIS = 5_000;

/** A bar that moves on a terminal, else a line now and then. `now` in milliseconds from anywhere. */
export function createProgressDisplay(
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write" | "columns">,
  now: () => number = () => performance.now(),
): ProgressDisplay {
  const began = now();
  const every = stream.isTTY ? TERMINAL_EVERY_MILLIS : LINE_EVERY_MILLIS;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(progress) {
      const at = now();
      if (at - shownAt < every) return;
      shownAt = at;
      const line = progressLine(progress, (at - began) / 1_000);
      // A line that wraps could not be taken back.
      stream.write(stream.isTTY ? `\r\u001B[2K${line.slice(0, (stream.columns ?? 80) - 1)}` : `${line}\n`);
    },
    clear() {
      if (stream.isTTY) stream.write("\r\u001B[2K");
    },
  };
}
