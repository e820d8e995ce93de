/** Entry of the thread that folds runs. Started by `fold-thread.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { createRunStore } from "../clickhouse/run-store.ts";
import { createStore } from "../clickhouse/store.ts";
import type { FoldThreadData, FromFoldThread, ToFoldThread } from "./fold-messages.ts";
import { createRunFolder } from "./run-folder.ts";

const { store: options, contracts } = workerData as FoldThreadData;
const store = createStore(options);
// Nobody waits in this thread for a turn.
const folder = createRunFolder(createRunStore(store), { breather: () => () => undefined, contracts });
const tell = (message: FromFoldThread): void => parentPort?.postMessage(message);

async function fold({ id, runs }: Extract<ToFoldThread, { type: "fold" }>): Promise<void> {
  try {
    tell({ type: "folded", id, runs: await folder.fold(runs) });
  } catch (error) {
    // Whatever was thrown, its message arrives; not everything about it can be sent.
    tell({ type: "failed", id, error: error instanceof Error ? new Error(error.message) : String(error) });
  }
}

parentPort?.on("message", (message: ToFoldThread) => {
  if (message.type === "fold") void fold(message);
  else void store.close().finally(() => parentPort?.close());
});
