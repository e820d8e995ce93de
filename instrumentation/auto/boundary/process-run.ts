import type { ActiveRun } from "../../run/active-run.ts";
import { setProcessRun } from "../../run/run-scope.ts";
import { openBoundaryRun } from "./boundary-run.ts";

/**
 * Opens the run of the whole process, if `process` is a boundary: all code outside of other runs belongs to it. Returns
 * what closes it; for a process that ends otherwise, its exit hook leaves the record.
 */
export function openProcessRun(): (() => Promise<void>) | undefined {
  const boundary = openBoundaryRun({ kind: "process", input: { arguments: process.argv.slice(2) } });
  if (boundary === undefined) return undefined;
  setProcessRun(boundary.run as ActiveRun);
  return async () => {
    await boundary.close();
    setProcessRun(undefined);
  };
}
