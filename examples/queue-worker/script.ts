import type { Script } from "../local-model/script.ts";

/** Words a receipt. */
export const receiptScript: Script = ({ task }) => {
  const { number, cents } = JSON.parse(task.slice("Order: ".length)) as { number: string; cents: number };
  return { say: `Thank you for order ${number}; you paid ${(cents / 100).toFixed(2)} EUR.` };
};
