import { revenueContract, type RunContract, withRun } from "../../instrumentation/index.ts";
import { type AgentTool, converse, type ModelPlace } from "../local-model/converse.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { type PaymentTools, paymentTools } from "./payment-tools.ts";

/** Something that happened to an invoice; the sender delivers it until it is acknowledged, so it may come again. */
export interface BillingEvent {
  readonly id: string;
  readonly delivery: number;
  readonly kind: "due" | "returned";
  readonly invoice: string;
  readonly cents: number;
}

export interface BillingTask {
  readonly events: readonly BillingEvent[];
  /** URL of the payment endpoint. */
  readonly payments: string;
  readonly model: ModelPlace;
}

/** The places where this agent can go wrong without a word. */
export interface BillingWays {
  /** Which of the delivered events it acts on. */
  readonly eventsOf: (delivered: readonly BillingEvent[]) => readonly BillingEvent[];
  readonly keyOf: (event: BillingEvent) => string;
  readonly centsOf: (cents: number) => number;
  /** What else it does for an event. */
  readonly afterwards: (event: BillingEvent, tools: PaymentTools) => Promise<unknown>;
}

/** The first delivery of each. */
const firstDeliveries = (delivered: readonly BillingEvent[]): readonly BillingEvent[] =>
  delivered.filter((event, index) => delivered.findIndex(({ id }) => id === event.id) === index);

export const GOOD_WAYS: BillingWays = {
  eventsOf: firstDeliveries,
  keyOf: ({ id }) => id,
  centsOf: (cents) => cents,
  afterwards: async () => {},
};

/** One charge for each invoice that is due, one refund for each that was returned, and nothing else. */
const contractFor = (events: readonly BillingEvent[]): RunContract =>
  revenueContract({
    agent: "revenue-agent",
    effects: firstDeliveries(events).map(({ kind, invoice, cents }) => ({
      tool: kind === "due" ? "charge" : "refund",
      arguments: { invoice, cents },
    })),
    tools: ["charge", "refund", "credit"],
    limits: { timeoutSeconds: 120, maxSteps: 60 },
  });

/** Has a model decide on each event, and moves the money. */
export const createBillingAgent =
  (ways: BillingWays) =>
  (input: BillingTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contractFor(input.events),
      async (run) => {
        const tools = paymentTools(input.payments);
        const events = ways.eventsOf(input.events);
        for (const event of events) {
          await converse({
            model: input.model,
            system: "You bill. Charge what is due, refund what was returned, once each, then say what you did.",
            task: `${event.kind === "due" ? "Due" : "Returned"}: invoice ${event.invoice}, ${event.cents} cents`,
            tools: toolsFor(event, tools, ways),
          });
          await ways.afterwards(event, tools);
        }
        run.claim("done", `${events.length} events handled`);
        return `All invoices are settled: ${events.length} events handled.`;
      },
      { input, taskId: `billing:${input.events[0]?.id ?? "none"}`, model: input.model.name, ...runOptions(place) },
    );

/** The model is told that it worked; references are for the books. */
function toolsFor(event: BillingEvent, tools: PaymentTools, { keyOf, centsOf }: BillingWays): readonly AgentTool[] {
  const parameters = {
    type: "object",
    properties: { invoice: { type: "string" }, cents: { type: "integer" } },
    required: ["invoice", "cents"],
  };
  const moving = (name: "charge" | "refund", description: string): AgentTool => ({
    name,
    description,
    parameters,
    run: async ({ invoice, cents }: { invoice: string; cents: number }, options) => {
      await tools[name]({ invoice, cents: centsOf(cents), idempotencyKey: keyOf(event) }, options);
      return { done: name, invoice };
    },
  });
  return [moving("charge", "Charges the amount of an invoice."), moving("refund", "Refunds the amount of an invoice.")];
}
