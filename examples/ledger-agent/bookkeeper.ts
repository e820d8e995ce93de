import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { defineContract, type RunContract, withRun } from "../../instrumentation/index.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { portalTools } from "./portal-tools.ts";
import type { InvoicePage } from "./portal.ts";

/** A batch of invoices to be put down, with what the supplier's statement says of it. */
export interface BatchTask {
  /** URL of the supplier's portal. */
  readonly portal: string;
  readonly invoices: number;
  readonly controlTotalCents: number;
}

/** The places where this agent can go wrong without a word. */
export interface BookWays {
  readonly centsOf: (total: number | string) => number;
  /** Where it reads on; `undefined` ends it. */
  readonly nextOf: (page: InvoicePage) => string | undefined;
}

const BATCH = "out/batch.json";

/** The batch has all its invoices, in whole cents, and comes to the control total of the supplier's statement. */
const contractFor = ({ invoices, controlTotalCents }: BatchTask): RunContract =>
  defineContract({
    agent: "ledger-agent",
    artifacts: [
      {
        name: "batch",
        kind: "json",
        path: BATCH,
        schema: {
          type: "object",
          required: ["entries", "totalCents"],
          properties: {
            entries: {
              type: "array",
              minItems: invoices,
              maxItems: invoices,
              items: { type: "object", properties: { cents: { type: "integer", minimum: 1 } } },
            },
            totalCents: { const: controlTotalCents },
          },
        },
      },
    ],
    tools: { allowed: ["list_invoices"] },
    sideEffects: { others: "forbid" },
    limits: { timeoutSeconds: 60, maxSteps: 20 },
  });

/** Reads a supplier's invoices from its portal, page by page, and writes the batch for the ledger. */
export const createBookkeeper =
  (ways: BookWays) =>
  (input: BatchTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contractFor(input),
      async (run) => {
        const { listInvoices } = portalTools(input.portal);
        const entries: { invoice: string; cents: number }[] = [];
        let cursor: string | undefined = "first";
        while (cursor !== undefined) {
          const page: InvoicePage = await listInvoices({ cursor });
          entries.push(...page.items.map(({ invoice, total }) => ({ invoice, cents: ways.centsOf(total) })));
          cursor = ways.nextOf(page);
        }
        const totalCents = entries.reduce((sum, { cents }) => sum + cents, 0);
        const path = join(place.folder ?? "", BATCH);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, JSON.stringify({ entries, totalCents }));
        run.claim("done", `${entries.length} invoices put down`);
        return `The batch is ready: ${entries.length} invoices, ${(totalCents / 100).toFixed(2)} EUR in total.`;
      },
      { input, taskId: `batch:${input.controlTotalCents}`, ...runOptions(place) },
    );
