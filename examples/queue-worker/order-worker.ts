import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { queueWorkerContract, recordArtifact, type Run, withRun } from "../../instrumentation/index.ts";
import { converse, type ModelPlace } from "../local-model/converse.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { type Order, queueTools, type QueueTools } from "./order-queue.ts";

export interface ShiftTask {
  readonly worker: string;
  readonly model: ModelPlace;
}

/** The places where this worker can go wrong without a word. */
export interface WorkWays {
  /** What it does with an item whose order cannot be loaded. */
  readonly giveUp: (item: string, error: Error, tools: QueueTools) => Promise<unknown>;
  /** What a receipt is called by. */
  readonly receiptOf: (order: Order) => string;
}

export const GOOD_WAYS: WorkWays = {
  giveUp: (item, error, tools) => tools.release({ item, reason: error.message }),
  receiptOf: ({ item }) => item,
};

const contract = queueWorkerContract({
  agent: "queue-worker",
  claim: { tool: "claim", ids: "/item" },
  release: { tool: "release" },
  writes: ["complete"],
  tools: ["claim", "load_order", "release", "complete"],
  limits: { timeoutSeconds: 120, maxSteps: 100 },
});

const MAX_ITEMS = 50;

/** Claims orders until there are none, has a model word a receipt for each, and leaves it as the item's artifact. */
export const createOrderWorker =
  (ways: WorkWays) =>
  (input: ShiftTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const tools = queueTools(place.folder ?? ".");
        let handled = 0;
        for (; handled < MAX_ITEMS; handled++) {
          const { item } = await tools.claim({ worker: input.worker });
          if (item === null) break;
          const order = await tools.loadOrder({ item }).catch((error: Error) => error);
          if (order instanceof Error) await ways.giveUp(item, order, tools);
          else await handle(order, { run, tools, input, place, ways });
        }
        run.claim("done", `${handled} items handled`);
        return `All ${handled} items of ${input.worker} were handled.`;
      },
      { input, taskId: `shift:${input.worker}`, model: input.model.name, ...runOptions(place) },
    );

interface Work {
  readonly run: Run;
  readonly tools: QueueTools;
  readonly input: ShiftTask;
  readonly place: RunPlace;
  readonly ways: WorkWays;
}

async function handle(order: Order, { run, tools, input, place, ways }: Work): Promise<void> {
  const words = await converse({
    model: input.model,
    system: "You word receipts of orders, in one sentence, with number and total.",
    task: `Order: ${JSON.stringify(order)}`,
    tools: [],
  });
  const id = ways.receiptOf(order);
  const path = `receipts/${id}.json`;
  await mkdir(join(place.folder ?? ".", "receipts"), { recursive: true });
  await writeFile(join(place.folder ?? ".", path), JSON.stringify({ ...order, words }));
  await recordArtifact(run, { name: `receipt:${id}`, kind: "json", path });
  await tools.complete({ item: order.item });
}
