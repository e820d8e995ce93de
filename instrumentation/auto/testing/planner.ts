import { setTimeout as sleep } from "node:timers/promises";
import type { Question, Reply } from "./provider-server.ts";

/** A model that looks two cities up at once, tries to book, and says how it went; and the tools it asks for. */
export interface Planner {
  /** What the tools were really asked. */
  readonly ran: string[];
  think(question: Pick<Question, "toolResults">): Reply;
  lookup(given: { readonly city: string }): Promise<{ celsius: number }>;
  book(): never;
}

export const QUESTION = "Where is it warmer?";

export function createPlanner(): Planner {
  const ran: string[] = [];
  return {
    ran,
    think({ toolResults }) {
      if (toolResults.size === 0) {
        return {
          calls: [
            { id: "c1", name: "lookup", args: { city: "Oslo" } },
            { id: "c2", name: "lookup", args: { city: "Rome" } },
          ],
        };
      }
      if (!toolResults.has("c3")) return { calls: [{ id: "c3", name: "book", args: { city: "Rome" } }] };
      return { text: `Rome is warmer, ${toolResults.get("c2")}. Booking: ${toolResults.get("c3")}` };
    },
    async lookup({ city }) {
      ran.push(city);
      // The one asked for first answers last.
      await sleep(city === "Oslo" ? 30 : 1);
      return { celsius: city === "Oslo" ? 7 : 24 };
    },
    book() {
      ran.push("book");
      throw new Error("sold out");
    },
  };
}

/** The tool calls as they have to be recorded, in order of their paths. */
export function plannedCalls(paths: readonly [string, string, string]) {
  const call = (path: string, callId: string, city: string) => ({
    name: callId === "c3" ? "book" : "lookup",
    path,
    callId,
    args: { city },
  });
  return [
    { ...call(paths[0], "c1", "Oslo"), result: { celsius: 7 }, error: undefined },
    { ...call(paths[1], "c2", "Rome"), result: { celsius: 24 }, error: undefined },
    { ...call(paths[2], "c3", "Rome"), result: undefined, error: "Error" },
  ];
}

export const byPath = <Item extends { readonly path: string }>(items: readonly Item[]): Item[] =>
  items.toSorted((a, b) => (a.path < b.path ? -1 : 1));
