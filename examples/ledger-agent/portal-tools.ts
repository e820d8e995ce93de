import { wrapTool } from "../../instrumentation/index.ts";
import { askEndpoint } from "../scenarios/ask-endpoint.ts";
import type { InvoicePage } from "./portal.ts";

/** The tools for one portal. */
export const portalTools = (url: string) => ({
  listInvoices: wrapTool({ name: "list_invoices", sideEffect: "read" }, ({ cursor }: { cursor: string }) =>
    askEndpoint<InvoicePage>(`${url}/invoices?cursor=${encodeURIComponent(cursor)}`),
  ),
});
