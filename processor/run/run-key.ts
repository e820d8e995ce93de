import type { RunRow } from "../clickhouse/run-rows.ts";

/** What names a run: another project may use the same id for a run of its own. A project's name has no line break. */
export const runKey = ({ project, run_id }: Pick<RunRow, "project" | "run_id">): string => `${project}\n${run_id}`;
