import { z } from "zod";
import { canaryStatus } from "../../commands/canary-status.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool, READS } from "../tool.ts";
import { recordsOf, verbAnswer } from "../verb-answer.ts";

export const canaryStatusTool = defineTool({
  name: "canary_status",
  title: "Status of the canaries",
  description:
    "Each tier of canaries: interval, newest round with its outcomes, next slot, missed slots. It tells of the rounds of " +
    "this machine's data directory; list_fixtures tells of canaries from everywhere.",
  access: "read",
  hints: READS,
  input: z.strictObject({}),
  limitSeconds: 30,
  async run(_args, { context }) {
    const status = await runVerb((it) => canaryStatus({ json: true }, it), context);
    return verbAnswer(status, { data: { tiers: recordsOf(status.document) } });
  },
});
