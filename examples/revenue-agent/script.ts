import type { Script } from "../local-model/script.ts";

/** Charges what is due and refunds what was returned, then says so. */
export const billingScript: Script = ({ task, results }) => {
  const [, kind = "", invoice = "", cents = "0"] = /^(\w+): invoice (\S+), (\d+) cents$/.exec(task) ?? [];
  const tool = kind === "Due" ? "charge" : "refund";
  if (results.length === 0) return { call: [[tool, { invoice, cents: Number(cents) }]] };
  return { say: `Done: the ${tool} for ${invoice} went through.` };
};
