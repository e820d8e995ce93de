import { z } from "zod";
import { listAlerts } from "../../commands/alerts.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool, READS } from "../tool.ts";
import { recordsOf, verbAnswer } from "../verb-answer.ts";
import { pageLimit } from "./arguments.ts";

export const alertsTool = defineTool({
  name: "alerts",
  title: "Alerts",
  description:
    "Alerts on silent failures, one for each agent, failure class and code revision: when the first bad run was, when the " +
    "alert made it visible, how many runs there were since.",
  access: "read",
  hints: READS,
  input: z.strictObject({
    state: z.enum(["firing", "resolved", "all"]).default("firing").describe("firing: not resolved yet."),
    limit: pageLimit(20, 200),
  }),
  limitSeconds: 30,
  async run({ state, limit }, { context, project }) {
    const flags = { json: true, state, limit: String(limit), ...(project !== undefined && { project }) } as const;
    const listed = await runVerb((it) => listAlerts(flags, it), context);
    return verbAnswer(listed, { data: { alerts: recordsOf(listed.document) } });
  },
});
