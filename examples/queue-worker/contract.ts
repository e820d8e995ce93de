import { defineContract } from "../../instrumentation/index.ts";

/** What a shift promises: three claims and no other change, and for each order a receipt that says done or released. */
export const queueContract = defineContract({
  agent: "queue-worker",
  evidencePaths: { paths: ["receipts/order-1.json", "receipts/order-2.json", "receipts/order-3.json"] },
  tools: { allowed: ["claim", "load_order"] },
  sideEffects: { expected: [{ tool: "claim", times: { exactly: 3 } }], others: "forbid" },
  limits: { timeoutSeconds: 30 },
});
