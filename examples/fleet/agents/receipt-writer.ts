import { mkdir, writeFile } from "node:fs/promises";
import { queueWorkerContract, recordArtifact, withRun } from "../../../instrumentation/index.ts";
import { type Order, queueTools, type QueueTools } from "../../queue-worker/order-queue.ts";

/** The places where this worker can go wrong without a word. */
export interface ReceiptWays {
  /** What it does with an item whose order cannot be loaded. */
  readonly giveUp: (item: string, error: Error, tools: QueueTools) => Promise<unknown>;
  /** What a receipt is called by. */
  readonly receiptOf: (order: Order) => string;
}

export const GOOD_WAYS: ReceiptWays = {
  giveUp: (item, error, tools) => tools.release({ item, reason: error.message }),
  receiptOf: ({ item }) => item,
};

const contract = queueWorkerContract({
  agent: "queue-worker",
  claim: { tool: "claim" },
  release: {},
  writes: ["complete"],
  tools: ["claim", "load_order", "release", "complete"],
  limits: { timeoutSeconds: 60, maxSteps: 50 },
});

/** Claims the orders of a queue table until there are none, and leaves a receipt of each. Asks no model. */
export const createReceiptWriter =
  (ways: ReceiptWays) =>
  (input: { readonly worker: string }): Promise<string> =>
    withRun(
      contract,
      async (run) => {
        const tools = queueTools(".");
        await mkdir("receipts", { recursive: true });
        let handled = 0;
        for (; ; handled++) {
          const { item } = await tools.claim({ worker: input.worker });
          if (item === null) break;
          const order = await tools.loadOrder({ item }).catch((error: Error) => error);
          if (order instanceof Error) {
            await ways.giveUp(item, order, tools);
            continue;
          }
          const id = ways.receiptOf(order);
          const path = `receipts/${id}.json`;
          await writeFile(path, JSON.stringify(order));
          await recordArtifact(run, { name: `receipt:${id}`, kind: "json", path });
          await tools.complete({ item });
        }
        run.claim("done", `${handled} items handled`);
        return `All ${handled} items of ${input.worker} were handled.`;
      },
      { input, taskId: `shift:${input.worker}` },
    );
