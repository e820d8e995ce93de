/** Entry of a thread that judges slices of history. Started by `backtest-thread.ts`, which ends it. */
import { parentPort, workerData } from "node:worker_threads";
import type { FromBacktestThread, ToBacktestThread } from "./backtest-messages.ts";
import type { Slice } from "./plan-slices.ts";
import { createSliceJudge, type SliceJudgeData } from "./slice-judge.ts";

const judge = createSliceJudge(workerData as SliceJudgeData);
const tell = (message: FromBacktestThread): void => parentPort?.postMessage(message);
let onTaken = (): void => {};

async function work(slice: Slice): Promise<void> {
  try {
    await judge.judge(slice, (part) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      onTaken = resolve;
      tell({ type: "part", part });
      return promise;
    });
    tell({ type: "done" });
  } catch (error) {
    // Whatever was thrown, its message arrives; not everything about it can be sent.
    tell({ type: "failed", error: error instanceof Error ? new Error(error.message) : String(error) });
  }
}

parentPort?.on("message", (message: ToBacktestThread) => {
  if (message.type === "slice") void work(message.slice);
  else onTaken();
});
