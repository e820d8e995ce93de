import { z } from "zod";
import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { defineTool, READS } from "../tool.ts";
import { textOf, verbAnswer } from "../verb-answer.ts";
import { pageLimit, pageOffset } from "./arguments.ts";
import { fixtureStates } from "./fixture-states.ts";
import { pageOf } from "./page.ts";

const STATES = ["candidate", "certified", "flaky", "stale", "retired", "unreadable"] as const;

export const listFixtures = defineTool({
  name: "list_fixtures",
  title: "List fixtures",
  description:
    "The fixtures of the configured folder with their state now (candidate, certified, flaky, stale, retired, " +
    "unreadable), why, and their newest canary. Only a certified fixture is proven to catch its failure.",
  access: "read",
  hints: READS,
  input: z.strictObject({
    state: z.enum(STATES).optional().describe("Only those in this state."),
    offset: pageOffset,
    limit: pageLimit(30, 200),
  }),
  limitSeconds: 120,
  async run({ state, offset, limit }, call) {
    const { status, rows } = await fixtureStates(undefined, call);
    const wanted = state === undefined ? rows : rows.filter((row) => row["state"] === state);
    const { items, ...page } = pageOf(wanted, { offset, limit });
    return verbAnswer(status, { data: { counts_by_state: countsOf(rows), ...page, fixtures: items } });
  },
});

const countsOf = (rows: readonly JsonObject[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    STATES.map((state) => [state, rows.filter((row) => textOf(row["state"]) === state).length] as const).filter(
      ([, count]) => count > 0,
    ),
  );
