import { mkdir, writeFile } from "node:fs/promises";
import { withRun } from "../../instrumentation/index.ts";
import { queueContract } from "./contract.ts";
import { claim, loadOrder } from "./queue.ts";

export interface Shift {
  readonly worker: string;
  readonly items: number;
}

/** What to do with an item whose order cannot be loaded. The broken and the fixed worker differ in nothing else. */
export type OnFailure = (item: string) => Promise<void>;

/** Claims items one by one, loads each order, and leaves a receipt of it. */
export const createQueueWorker =
  (onFailure: OnFailure) =>
  (input: Shift): Promise<string> =>
    withRun(
      queueContract,
      async (run) => {
        for (let n = 0; n < input.items; n++) {
          const { item } = await claim({ worker: input.worker });
          const order = await loadOrder({ item }).catch(() => undefined);
          if (order === undefined) await onFailure(item);
          else await writeReceipt(item, { outcome: "done", total: order.total });
        }
        run.claim("done", `${input.items} items handled`);
        return `All ${input.items} items of ${input.worker} were handled.`;
      },
      { input, taskId: `shift:${input.worker}` },
    );

export async function writeReceipt(item: string, receipt: { outcome: "done" | "released"; total?: number }) {
  await mkdir("receipts", { recursive: true });
  await writeFile(`receipts/${item}.json`, JSON.stringify(receipt));
}
