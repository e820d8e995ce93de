import { z } from "zod";
import type { JsonObject } from "../../../instrumentation/json/json.ts";
import { listRuns } from "../../commands/runs.ts";
import { runVerb } from "../run-verb.ts";
import { defineTool, READS } from "../tool.ts";
import { recordsOf, textOf, verbAnswer } from "../verb-answer.ts";
import { agentName, failureClass, pageLimit, pageOffset, since } from "./arguments.ts";
import { pageOf } from "./page.ts";

const input = z.strictObject({
  since: since.default("24h"),
  agent: agentName.optional(),
  failure_class: failureClass.optional(),
  status: z
    .enum(["failed", "blocked", "degraded", "inconclusive"])
    .default("failed")
    .describe("The verdict asked for."),
  type: z.enum(["live", "replay", "canary"]).default("live").describe("live: runs of production."),
  offset: pageOffset,
  limit: pageLimit(20, 100),
});

/** More are not counted; the answer says so. */
const MAX_COUNTED = 10_000;

export const listFailedRuns = defineTool({
  name: "list_failed_runs",
  title: "List failed runs",
  description:
    "Agent runs whose verdict is bad, newest first: first how many there are of each failure class, then the runs. " +
    "Start here to find out what failed. Verdicts are made from evidence, not from what the agents said.",
  access: "read",
  hints: READS,
  input,
  limitSeconds: 60,
  async run({ since: from, agent, failure_class, status, type, offset, limit }, { context, project }) {
    const flags = { since: from, status, type, limit: String(MAX_COUNTED), json: true } as const;
    const listed = await runVerb((it) => listRuns({ ...flags, ...(agent !== undefined && { agent }) }, it), context);
    const rows = recordsOf(listed.document);
    const all = rows.filter((run) => project === undefined || run["project"] === project);
    const wanted = failure_class === undefined ? all : all.filter((run) => run["failure_class"] === failure_class);
    const { items, ...page } = pageOf(wanted, { offset, limit });
    return verbAnswer(listed, {
      data: {
        counts_by_class: countsOf(all),
        all_counted: rows.length < MAX_COUNTED,
        project: project ?? null,
        runs_of_other_projects: rows.length - all.length,
        ...page,
        runs: items.map(shortRecord),
      },
      ...(listed.outcome === "ok" && {
        advice:
          wanted.length === 0
            ? rows.length > all.length
              ? ELSEWHERE
              : NONE
            : ["explain_run says why one of them failed, by its run_id."],
      }),
    });
  },
});

const NONE = ["No such run. Ask with an earlier since, or another status: no failed run is no proof of health (gate)."];

const ELSEWHERE = [
  "No such run of this project, but there are some of other projects: RUNPROOF_PROJECT or runproof scope says which " +
    "project this server works for.",
];

interface ClassCount {
  readonly failure_class: string;
  runs: number;
  readonly agents: Record<string, number>;
  /** Rows come newest first. */
  readonly newest: string;
}

function countsOf(runs: readonly JsonObject[]): readonly ClassCount[] {
  const counts = new Map<string, ClassCount & { readonly byAgent: Map<string, number> }>();
  for (const run of runs) {
    const name = textOf(run["failure_class"]);
    const fresh = { failure_class: name, runs: 0, agents: {}, newest: textOf(run["started_at"]), byAgent: new Map() };
    const count = counts.get(name) ?? fresh;
    counts.set(name, count);
    count.runs++;
    const agent = textOf(run["agent_name"]);
    count.byAgent.set(agent, (count.byAgent.get(agent) ?? 0) + 1);
  }
  return [...counts.values()]
    .map(({ byAgent, ...count }) => ({ ...count, agents: Object.fromEntries(byAgent) }))
    .sort((a, b) => b.runs - a.runs);
}

const SHOWN = [
  "run_id",
  "agent_name",
  "status",
  "failure_class",
  "failure_reason",
  "started_at",
  "run_type",
  "fixture_id",
  "code_version",
  "project",
] as const;

const shortRecord = (run: JsonObject): JsonObject =>
  Object.fromEntries(SHOWN.map((name) => [name, run[name] ?? null] as const));
