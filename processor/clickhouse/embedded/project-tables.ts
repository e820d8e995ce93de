/** A table that a reader of one project may see the project's rows of. */
export interface ProjectTable {
  /** Column with the project. A row without one belongs to no project reader. */
  readonly column: string;
  /** Whether rows replace each other, so that only the merged ones count. A view does not hand `FINAL` on. */
  readonly isReplacing: boolean;
}

/** Everything a project reader can name. A table that is not here does not exist for one. */
export const PROJECT_TABLES: Readonly<Record<string, ProjectTable>> = {
  otel_traces: { column: "Project", isReplacing: false },
  otel_logs: { column: "Project", isReplacing: false },
  otel_traces_trace_id_ts: { column: "Project", isReplacing: false },
  runproof_runs: { column: "project", isReplacing: true },
  runproof_run_history: { column: "project", isReplacing: false },
  runproof_contracts: { column: "project", isReplacing: true },
  runproof_quarantine: { column: "project", isReplacing: false },
  runproof_canary_rounds: { column: "project", isReplacing: true },
  runproof_canary_results: { column: "project", isReplacing: true },
  runproof_alerts: { column: "project", isReplacing: true },
};

/** Database of the views that project readers read; it lives in memory. */
export const PROJECT_DATABASE = "runproof_reader";

/** Role of a session that reads for one project. It may select from the views and nothing else. */
export const PROJECT_ROLE = "project_reader";

/** Role of every other session. */
export const SERVICE_ROLE = "service";

/** User the views read with: all it can read stands under a row policy. Nobody is logged in as this user. */
export const PROJECT_ROWS_USER = "project_rows";
