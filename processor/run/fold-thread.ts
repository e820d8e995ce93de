import { Worker } from "node:worker_threads";
import type { StoreOptions } from "../clickhouse/store.ts";
import type { Component } from "../component.ts";
import type { FoldThreadData, FromFoldThread, ToFoldThread } from "./fold-messages.ts";
import type { AgentContracts } from "./stored-facts.ts";
import type { FoldedRun, RunFolder } from "./run-folder.ts";

/** MiB of objects; a portion takes some tens. */
const MAX_HEAP_MIB = 512;
/** MiB of its young generation, three semi-spaces; V8's own 48 and more would be held for good. */
const YOUNG_MIB = 12;
const STOP_MILLIS = 2_000;

interface Waiting {
  readonly resolve: (runs: readonly FoldedRun[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Folds runs in a thread of its own: what parses and folds the spans of fifty runs a second would be in the way of whoever
 * waits for an acknowledgement. A thread that ends rejects what it had in hand, and the next call starts another one.
 */
export function createFoldThread(store: StoreOptions, contracts: AgentContracts = {}): RunFolder & Component {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let lastId = 0;

  function launch(): Worker {
    const started = new Worker(entryUrl(), {
      workerData: { store, contracts } satisfies FoldThreadData,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB, maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    // It never keeps the process alive: whoever waits for a fold has timers and sockets of its own.
    started.unref();
    started.on("message", settle);
    started.on("error", (error) => end(started, error));
    started.on("exit", (code) => end(started, new Error(`the thread that folds runs ended with code ${code}`)));
    return started;
  }

  function settle(message: FromFoldThread): void {
    const one = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === "folded") one?.resolve(message.runs);
    else one?.reject(message.error);
  }

  function end(ended: Worker, error: unknown): void {
    if (thread !== ended) return;
    thread = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  const tell = (to: Worker, message: ToFoldThread): void => to.postMessage(message);

  return {
    fold(runs) {
      thread ??= launch();
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<readonly FoldedRun[]>();
      waiting.set(id, { resolve, reject });
      tell(thread, { type: "fold", id, runs });
      return promise;
    },
    start: async () => {
      thread ??= launch();
    },
    async shutdown() {
      const ending = thread;
      if (ending === undefined) return;
      const exited = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
      const late = setTimeout(() => void ending.terminate(), STOP_MILLIS);
      tell(ending, { type: "shutdown" });
      await exited;
      clearTimeout(late);
    },
  };
}

/** Compiled code starts the compiled entry, sources start the source: both lie beside this file. */
const entryUrl = (): URL =>
  new URL(`./fold-thread-entry.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
