import { type LocalEndpoint, startEndpoint } from "../scenarios/local-endpoint.ts";

/** What a supplier's portal says of invoices. Totals are numbers where a program wrote them, texts where a clerk did. */
export interface InvoicePage {
  readonly items: readonly { readonly invoice: string; readonly total: number | string }[];
  /** Where it goes on; absent on the last page. */
  readonly nextCursor?: string;
}

const PAGES: Readonly<Record<string, InvoicePage>> = {
  first: {
    items: [
      { invoice: "inv-701", total: 310.5 },
      { invoice: "inv-702", total: "1.234,50" },
    ],
    nextCursor: "second",
  },
  second: { items: [{ invoice: "inv-703", total: "48,00" }] },
};

export const startPortal = (): Promise<LocalEndpoint> =>
  startEndpoint(({ route, query }) => {
    const page = PAGES[query.get("cursor") ?? ""];
    return route === "GET /invoices" && page !== undefined ? [200, page] : [404, {}];
  });
