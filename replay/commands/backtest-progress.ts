import type { BacktestProgress } from "../../processor/backtest/index.ts";

export interface BacktestProgressDisplay {
  show(progress: BacktestProgress): void;
  /** Takes the line off the terminal. */
  clear(): void;
}

const EVERY_MILLIS = 100;

/** A line that moves on a terminal, else nothing. `now` in milliseconds from anywhere. */
export function createBacktestProgress(
  stream: Pick<NodeJS.WriteStream, "isTTY" | "write" | "columns">,
  now: () => number = () => performance.now(),
): BacktestProgressDisplay {
  const began = now();
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(progress) {
      const at = now();
      if (!stream.isTTY || at - shownAt < EVERY_MILLIS) return;
      shownAt = at;
      // A line that wraps could not be taken back.
      stream.write(`\r\u001B[2K${progressLine(progress, (at - began) / 1_000).slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear() {
      if (stream.isTTY) stream.write("\r\u001B[2K");
    },
  };
}

function progressLine({ tally, share }: BacktestProgress, seconds: number): string {
  const rate = seconds > 0 ? Math.round(tally.runs / seconds) : 0;
  const percent = (share * 100).toFixed(0).padStart(3);
  return `${percent} %  ${tally.runs} runs judged, ${rate} a second, ${tally.silent.runs} silently wrong`;
}
