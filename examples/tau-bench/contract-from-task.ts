import { defineContract, type JsonValue, type RunContract } from "../../instrumentation/index.ts";

export interface AirlineTask {
  readonly actions: readonly { readonly name: string; readonly kwargs: Readonly<Record<string, JsonValue>> }[];
  /** Texts the user must be told. */
  readonly outputs: readonly string[];
}

/** The domain's tools that change the database. All others only read. */
export const WRITING_TOOLS: ReadonlySet<string> = new Set([
  "book_reservation",
  "cancel_reservation",
  "update_reservation_flights",
  "update_reservation_passengers",
  "update_reservation_baggages",
  "send_certificate",
]);

/**
 * What a run of the task promises, derived from `actions` and `outputs` alone: each write exactly once and no other one,
 * each text told, and the conversation brought to its end. A call may state more than the action does (`subset`): the
 * database ignores, for instance, the cities of a flight number.
 */
export const contractFromTask = (task: AirlineTask): RunContract =>
  defineContract({
    agent: "tau-airline",
    sideEffects: {
      expected: task.actions
        .filter((action) => WRITING_TOOLS.has(action.name))
        .map((action) => ({ tool: action.name, arguments: { ...action.kwargs }, match: "subset" as const })),
      others: "forbid",
    },
    state: { from: "open", to: ["ended"] },
    answer: { required: task.outputs.map((text) => ({ contains: text.replaceAll(",", ""), ignoreCharacters: "," })) },
    limits: { timeoutSeconds: 600 },
  });
