import { Worker } from "node:worker_threads";
import type { FromBacktestThread, ToBacktestThread } from "./backtest-messages.ts";
import type { SliceJudge, SliceJudgeData, TakePart } from "./slice-judge.ts";

/** MiB of objects; a portion takes some tens. */
const MAX_HEAP_MIB = 384;

/** Judges slices in a thread of its own. A thread that ends rejects what it has in hand. */
export function startBacktestThread(workerData: SliceJudgeData): SliceJudge {
  const thread = new Worker(entryUrl(), { workerData, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } });
  let ended: unknown;
  let settle = (_error?: unknown): void => {};
  let take: TakePart = async () => {};

  const tell = (message: ToBacktestThread): void => thread.postMessage(message);
  const fail = (error: unknown): void => {
    ended ??= error;
    settle(ended);
  };
  thread.on("message", (message: FromBacktestThread) => {
    if (message.type === "part") take(message.part).then(() => tell({ type: "taken" }), settle);
    else settle(message.type === "failed" ? message.error : undefined);
  });
  thread.on("error", fail);
  thread.on("exit", (code) => fail(new Error(`a thread of the back-test ended with code ${code}`)));

  return {
    judge(slice, taker) {
      take = taker;
      return new Promise((resolve, reject) => {
        settle = (error) => (error === undefined ? resolve() : reject(error));
        if (ended === undefined) tell({ type: "slice", slice });
        else settle(ended);
      });
    },
    async end() {
      await thread.terminate();
    },
  };
}

/** Compiled code starts the compiled entry, sources start the source: both lie beside this file. */
const entryUrl = (): URL =>
  new URL(`./backtest-thread-entry.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
