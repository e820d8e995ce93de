import type { RunRow } from "../../processor/clickhouse/run-rows.ts";
import type { RecordedRun } from "./recorded-run.ts";

/** One recorded run beside what was made of it. */
export interface Comparison {
  readonly taskId: number;
  readonly trial: number;
  readonly reward: number;
  readonly run: RunRow | undefined;
  /** What a reading of span status and exit code says. */
  readonly flaggedByStatus: boolean;
}

/** The benchmark counts a run as right or wrong; only a proven pass is right. */
export const agrees = ({ reward, run }: Comparison): boolean => (run?.status === "passed") === (reward === 1);

export function compare(
  recorded: readonly RecordedRun[],
  rows: readonly RunRow[],
  flagged: ReadonlySet<string>,
): Comparison[] {
  return recorded.map(({ task_id: taskId, trial, reward }) => {
    const run = rows.find((row) => row.task_id === `tau-airline-${taskId}` && row.attempt === trial + 1);
    return { taskId, trial, reward, run, flaggedByStatus: run !== undefined && flagged.has(run.run_id) };
  });
}

/** The table of both readings, and every run they and the benchmark do not agree on. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const wrong = comparisons.filter(({ reward }) => reward !== 1);
  const judgedWrong = comparisons.filter(({ run }) => run?.status !== "passed");
  const byStatus = comparisons.filter(({ flaggedByStatus }) => flaggedByStatus);
  const right = (list: readonly Comparison[]): number => list.filter(({ reward }) => reward !== 1).length;
  const line = (name: string, flagged: readonly Comparison[], agree: number): string =>
    `${name.padEnd(34)}${String(flagged.length).padStart(8)}${`${right(flagged)} of ${wrong.length}`.padStart(14)}${`${agree} of ${comparisons.length}`.padStart(16)}`;
  const disagreements = comparisons.filter((one) => !agrees(one));
  const statusAgrees = comparisons.filter((one) => one.flaggedByStatus === (one.reward !== 1)).length;
  return [
    `${"reading".padEnd(34)}${"flagged".padStart(8)}${"wrong found".padStart(14)}${"agrees".padStart(16)}`,
    line("root span status and exit code", byStatus, statusAgrees),
    line("verdict on evidence (runproof)", judgedWrong, comparisons.filter(agrees).length),
    "",
    disagreements.length === 0 ? "no disagreement with the benchmark" : "disagreements with the benchmark:",
    ...disagreements.map(
      ({ taskId, trial, reward, run }) =>
        `  task ${taskId} trial ${trial}: reward ${reward}, verdict ${run?.status ?? "none"} ${run?.failure_reason ?? ""}`,
    ),
  ].join("\n");
}
