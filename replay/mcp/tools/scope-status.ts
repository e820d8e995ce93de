import { z } from "zod";
import { scopeStatus } from "../../commands/scope.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool, READS } from "../tool.ts";
import { verbAnswer } from "../verb-answer.ts";

export const scopeStatusTool = defineTool({
  name: "scope_status",
  title: "Project scope",
  description:
    "Which project this server works for, where that comes from (runtime, local file, service, fallback), whether the " +
    "sources agree (SYNCED or DRIFTED) and whether it is authorised. Other tools do nothing where it is not.",
  access: "read",
  unscoped: true,
  hints: READS,
  input: z.strictObject({}),
  limitSeconds: 30,
  async run(_args, { context }) {
    const checked = await runVerb((it) => scopeStatus({ json: true }, it), context);
    return verbAnswer(checked, checked.outcome === "ok" ? {} : { advice: NOT_SYNCED });
  },
});

const NOT_SYNCED = [
  "The sources disagree, do not answer, or the scope is not authorised. A person decides: runproof scope status, then " +
    "runproof scope reconcile.",
];
