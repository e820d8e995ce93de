import type { BookWays } from "./bookkeeper.ts";

/** The separator that comes last parts the cents, if two digits follow it; every other one groups. */
function centsOf(total: number | string): number {
  if (typeof total === "number") return Math.round(total * 100);
  const [, whole = "", cents = "00"] = /^([\d.,]*?\d)(?:[.,](\d\d))?$/.exec(total.trim()) ?? [];
  if (whole === "") throw new Error(`"${total}" is no amount`);
  return Number(whole.replaceAll(/[.,]/g, "")) * 100 + Number(cents);
}

export const readsBothShapes: BookWays = { centsOf, nextOf: ({ nextCursor }) => nextCursor };

/** The planted silent failure: "1.234,50" is read as the program's numbers are, and a thousand euros become one. */
export const readsNumbersOnly: BookWays = {
  ...readsBothShapes,
  centsOf: (total) => Math.round(Number.parseFloat(String(total)) * 100),
};

/** Another one: what comes first is taken for all there is. */
export const readsFirstPage: BookWays = { ...readsBothShapes, nextOf: () => undefined };
