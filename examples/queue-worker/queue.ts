import { wrapTool } from "../../instrumentation/index.ts";

/** A queue with three orders; the shop that knows them is down for one. */
const WAITING = ["order-1", "order-2", "order-3"];

export const claim = wrapTool({ name: "claim", sideEffect: "write" }, async ({ worker }: { worker: string }) => ({
  item: WAITING.shift() ?? "",
  worker,
}));

export const loadOrder = wrapTool({ name: "load_order", sideEffect: "read" }, async ({ item }: { item: string }) => {
  if (item === "order-2") throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  return { item, total: 40 + Number(item.at(-1)) };
});
