import { z } from "zod";
import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { defineTool, READS } from "../tool.ts";
import { runId, pageLimit, pageOffset } from "./arguments.ts";
import { pageOf } from "./page.ts";
import { shownRun } from "./shown-run.ts";

const PARTS = ["calls", "artifacts", "proofs", "reasons", "history"] as const;

export const showEvidence = defineTool({
  name: "show_evidence",
  title: "Show a run's evidence",
  description:
    "What was recorded of a run, by pages: calls of tools and models with arguments and results, artifacts and state it " +
    "refers to, proofs that were re-read, reasons, history. Secrets are redacted as they were stored; long values are cut.",
  access: "read",
  hints: READS,
  input: z.strictObject({
    run_id: runId,
    part: z.enum(PARTS).default("calls"),
    offset: pageOffset,
    limit: pageLimit(10, 50),
    max_text: z.int().min(100).max(20_000).default(2_000).describe("Characters of one text; longer ones are cut."),
  }),
  limitSeconds: 60,
  async run({ run_id, part, offset, limit, max_text }, call) {
    const shown = await shownRun(run_id, call);
    if (!shown.found) return shown.answer;
    const { items, ...page } = pageOf(partOf(part, shown.details, shown.run), { offset, limit });
    return {
      outcome: "ok",
      data: { run_id, part, ...page, [part]: items },
      bounds: { maxText: max_text, maxTotal: 60_000 },
      advice: page.next_offset === null ? [] : ["There is more: ask again with offset = next_offset."],
    };
  },
});

function partOf(part: (typeof PARTS)[number], details: JsonObject, run: JsonObject): readonly unknown[] {
  if (part !== "artifacts") return listOf(details[part]);
  return [
    ...listOf(run["artifact_refs"]).map((ref) => ({ kind: "artifact", ref })),
    ...listOf(run["state_refs"]).map((ref) => ({ kind: "state", ref })),
  ];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
