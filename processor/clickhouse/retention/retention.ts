import { z } from "zod";

import { projectName } from "../../auth/tokens-file.ts";

/** How rows of a table age. */
export interface RetainedTable {
  /** Of type DateTime, from the columns. */
  readonly time: string;
  /** Column that names a row's project; without it the table has no rules per project. */
  readonly project?: string;
  /** Parts hold one day each, so that a rule for all projects can drop whole parts. */
  readonly daily: boolean;
  /** Follows the rules of another table and has none of its own. */
  readonly like?: string;
}

/**
 * The tables that rows can be removed from. Not among them: contracts, which are needed as long as a run names them and
 * are small, migrations, and the collectors' signs of life, which end by themselves.
 *
 * All versions of a run have the time the first fact of it came in, so they go together.
 */
export const RETAINED_TABLES: Readonly<Record<string, RetainedTable>> = {
  otel_traces: { time: "toDateTime(Timestamp)", project: "Project", daily: true },
  otel_traces_trace_id_ts: { time: "End", project: "Project", daily: false, like: "otel_traces" },
  otel_logs: { time: "toDateTime(Timestamp)", project: "Project", daily: true },
  runproof_run_history: { time: "toDateTime(received_at)", project: "project", daily: false },
  runproof_runs: { time: "toDateTime(received_at)", project: "project", daily: false },
  runproof_monitor_gaps: { time: "toDateTime(ended_at)", daily: false },
  runproof_quarantine: { time: "toDateTime(received_at)", project: "project", daily: false },
};

/** Days after which a row goes, or never. */
export type Days = number | "forever";

/** Days by table, for all and for single projects. A table that is not named keeps its rows for ever. */
export interface Retention {
  readonly tables: Readonly<Record<string, Days>>;
  readonly projects: Readonly<Record<string, Readonly<Record<string, Days>>>>;
}

const error = 'must be a number of days from 1 to 36500, or "forever"';
const days = z.union([z.int({ error }).min(1, { error }).max(36_500, { error }), z.literal("forever")], { error });

const settable = Object.entries(RETAINED_TABLES).filter(([, { like }]) => like === undefined);
const names = (tables: typeof settable): [string, ...string[]] => tables.map(([name]) => name) as [string, ...string[]];
const ofTables = z.partialRecord(z.enum(names(settable)), days);
const ofProjectTables = z.partialRecord(
  z.enum(names(settable.filter(([, { project }]) => project !== undefined))),
  days,
);

const retentionDocument = z
  .looseObject({ projects: z.record(projectName, ofProjectTables).default({}) })
  .transform(({ projects, ...tables }) => ({ tables, projects }))
  .pipe(z.object({ tables: ofTables, projects: z.record(projectName, ofProjectTables) }));

/**
 * `{ "otel_traces": 30, "projects": { "team-a": { "otel_traces": 7 } } }`; `general` is for every table it does not name.
 * @throws Error that names every problem
 */
export function parseRetention(document: unknown, general: Days = "forever"): Retention {
  const parsed = retentionDocument.safeParse(document);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.filter((key) => key !== "tables").join(".")}: ${message}`,
    );
    throw new Error(`the retention is not valid: ${problems.join("; ")}`, { cause: parsed.error });
  }
  const { tables, projects } = parsed.data;
  const all = Object.fromEntries(settable.map(([name]): [string, Days] => [name, general]));
  return { tables: { ...all, ...(tables as Record<string, Days>) }, projects: projects as Retention["projects"] };
}
