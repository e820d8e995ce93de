import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { showRun } from "../../commands/runs.ts";
import type { ToolAnswer } from "../answer/envelope.ts";
import { runVerb } from "../run-verb.ts";
import type { ToolCall } from "../tool.ts";
import { recordOf, verbAnswer } from "../verb-answer.ts";

export type ShownRun =
  | { readonly found: true; readonly details: JsonObject; readonly run: JsonObject }
  | { readonly found: false; readonly answer: ToolAnswer };

/** Everything known of one run, if it is of the call's project. One of another project is as if it were not there. */
export async function shownRun(runId: string, { context, project }: ToolCall): Promise<ShownRun> {
  const shown = await runVerb((it) => showRun(runId, { json: true }, it), context);
  const details = recordOf(shown.document);
  const run = recordOf(details["run"]);
  const isOurs = project === undefined || run["project"] === project;
  if (shown.outcome === "ok" && run["run_id"] === runId && isOurs) return { found: true, details, run };
  if (shown.outcome !== "ok" && shown.outcome !== "finding") return { found: false, answer: verbAnswer(shown) };
  const data = { problems: [`the store has no run ${runId}`] };
  return { found: false, answer: { outcome: "finding", isError: true, data, advice: NO_RUN } };
}

const NO_RUN = ["There is no such run. list_failed_runs gives the ids there are."];
