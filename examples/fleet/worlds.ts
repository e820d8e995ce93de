import { startCarrier } from "../dispatch-agent/carrier.ts";
import { startPortal } from "../ledger-agent/portal.ts";
import type { ModelPlace } from "../local-model/converse.ts";
import { startPager } from "../oncall-agent/pager.ts";
import { startRates } from "../pricing-agent/rates.ts";
import { createQueue } from "../queue-worker/order-queue.ts";
import { startPayments } from "../revenue-agent/payments.ts";
import type { LocalEndpoint } from "../scenarios/local-endpoint.ts";
import type { Seed } from "./seeds.ts";

/** What an agent of the fleet works on: its task, but for the seed, and what it depends on. */
export interface World {
  readonly task: object;
  close(): Promise<void>;
}

type OpenWorld = (seed: Seed, place: { readonly folder: string; readonly model: ModelPlace }) => Promise<World>;

const nothingToClose = async (): Promise<void> => {};
const at = (endpoint: LocalEndpoint, task: object): World => ({ task, close: () => endpoint.close() });

const EVENTS = [
  { id: "evt-1", delivery: 1, kind: "due", invoice: "inv-7", cents: 4_200 },
  { id: "evt-2", delivery: 1, kind: "returned", invoice: "inv-3", cents: 1_500 },
  { id: "evt-1", delivery: 2, kind: "due", invoice: "inv-7", cents: 4_200 },
] as const;

const ORDERS = [
  { item: "item-1", number: "A-77", cents: 4_100 },
  { item: "item-2", number: "A-78", cents: null },
] as const;

const FAILURES = [
  { run: "run-1", service: "checkout", failureClass: "missing_artifact_ref" },
  { run: "run-2", service: "checkout", failureClass: "side_effect_repeated" },
  { run: "run-3", service: "search", failureClass: "missing_artifact_ref" },
] as const;

/** By agent. The queue is a table in the folder; all else that is asked listens on 127.0.0.1. */
export const WORLDS: Readonly<Record<string, OpenWorld>> = {
  "research-agent": async () => ({ task: { topic: "tides" }, close: nothingToClose }),
  "coding-agent": async () => ({ task: { issue: "12" }, close: nothingToClose }),
  "queue-worker": async (_seed, { folder }) => {
    createQueue(folder, ORDERS);
    return { task: { worker: "w-1" }, close: nothingToClose };
  },
  "revenue-agent": async ({ name }, { model }) => {
    const payments = await startPayments({ hasSlowRefunds: name === "refund_unconfirmed" });
    const task = { events: EVENTS, payments: payments.url, model };
    return { task, close: () => payments.close() };
  },
  "ledger-agent": async () => {
    const portal = await startPortal();
    return at(portal, { portal: portal.url, invoices: 3, controlTotalCents: 159_300 });
  },
  "pricing-agent": async () => {
    const rates = await startRates({ throttled: Infinity });
    const lastRates = { GBP: 0.83, USD: 1.08 };
    return at(rates, { day: "2026-11-21", eurCents: 1_990, currencies: ["GBP", "USD"], lastRates, rates: rates.url });
  },
  "dispatch-agent": async () => {
    const carrier = await startCarrier({ labelsUntilMaintenance: 1 });
    const parcels = [
      { parcel: "p-1", postcode: "20095" },
      { parcel: "p-2", postcode: "80331" },
    ];
    return at(carrier, { parcels, carrier: carrier.url });
  },
  "oncall-agent": async ({ name }) => {
    const pager = await startPager({ refused: name === "alert_lost" ? 2 : 0 });
    return at(pager, { failures: FAILURES, pager: pager.url });
  },
};
