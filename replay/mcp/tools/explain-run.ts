import { z } from "zod";
import { REASON_WEIGHTS, type ReasonCode, type ReasonWeight } from "../../../instrumentation/contract/reason-codes.ts";
import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { defineTool, READS } from "../tool.ts";
import { recordsOf, textOf } from "../verb-answer.ts";
import { runId } from "./arguments.ts";
import { shownRun } from "./shown-run.ts";

export const explainRun = defineTool({
  name: "explain_run",
  title: "Explain a run's verdict",
  description:
    "Why a run got its verdict: each reason with its code, the clause of the run's contract it breaks and the evidence " +
    "looked at, in plain words and as data; how the verdict changed over time; whether the trace is enough to rebuild it.",
  access: "read",
  hints: READS,
  input: z.strictObject({ run_id: runId }),
  limitSeconds: 60,
  async run({ run_id }, call) {
    const shown = await shownRun(run_id, call);
    if (!shown.found) return shown.answer;
    const { details, run } = shown;
    const { reasons, proofs, history, completeness } = details;
    return {
      outcome: "ok",
      data: { in_words: words(details, run), run, reasons, proofs, history, completeness },
      advice: [
        "show_evidence gives the recorded calls, artifacts and proofs.",
        "create_fixture rebuilds the run as a fixture that replays without tools or models (needs --allow-writes).",
      ],
    };
  },
});

/** What a kind of reason means for the verdict. */
const MEANING: Readonly<Record<ReasonWeight, string>> = {
  violation: "the run did what it must not, or vanished",
  blocked: "something it depends on was seen to be unavailable",
  absence: "work that its contract asks for is missing or wrong",
  unknown: "the evidence is not enough to say",
  degraded: "done, but outside the soft limits",
};

function words(details: JsonObject, run: JsonObject): string[] {
  const [status, agent] = [textOf(run["status"]), textOf(run["agent_name"])];
  const reasons = recordsOf(details["reasons"]);
  const calls = recordsOf(details["calls"]);
  const threw = calls.filter((it) => it["outcome"] === "threw").length;
  const ended = run["closed_at"] === null ? "it never ended" : `it ended at ${textOf(run["closed_at"])}`;
  return [
    `Agent ${agent} started a run at ${textOf(run["started_at"])}; ${ended}. Its verdict is ${status}.`,
    ...reasons.map(reasonWords),
    ...(reasons.length === 0 && status !== "passed" ? ["No reason is recorded with this verdict."] : []),
    `It made ${calls.length} recorded calls, of which ${threw} threw.`,
    historyWords(recordsOf(details["history"])),
  ];
}

function reasonWords(reason: JsonObject): string {
  const code = textOf(reason["code"]);
  const weight = Object.hasOwn(REASON_WEIGHTS, code) ? REASON_WEIGHTS[code as ReasonCode] : undefined;
  const clause = textOf(reason["clause"]);
  const looked = recordsOf(reason["evidence"]).map(({ kind, id }) => `${textOf(kind)} ${textOf(id)}`);
  const by = clause === "" ? "about the run as a whole" : `by clause ${clause} of its contract`;
  const at = looked.length === 0 ? "" : `; looked at: ${looked.join(", ")}`;
  const meaning = weight === undefined ? "" : ` (${MEANING[weight]})`;
  return `${code}${meaning}, ${by}: ${textOf(reason["message"])}${at}`;
}

function historyWords(history: readonly JsonObject[]): string {
  const changes = history.map((it) => textOf(it["status"])).filter((it, at, all) => it !== all[at - 1]);
  return changes.length < 2 ? "The verdict did not change." : `The verdict changed: ${changes.join(", then ")}.`;
}
