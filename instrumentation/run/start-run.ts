import { parseContract, type RunContract } from "../contract/contract.ts";
import type { Run } from "./active-run.ts";
import { openRun, type StartRunOptions } from "./open-run.ts";

export type { StartRunOptions };

/**
 * Opens a run and makes it visible before any work begins: resolves once the start record is acknowledged, or after the
 * deadline (a second by default) once it lies in the crash spool, and once the state the contract speaks of was observed
 * (at most 10 s). Never rejects for trouble of its own; a contract that does not parse is the caller's, and rejects
 * with `ContractError`.
 *
 * Code between here and `closeRun()` finds the run by itself when it runs inside `withRun()` or `runInContext()`.
 */
export async function startRun(contract: RunContract, options: StartRunOptions = {}): Promise<Run> {
  const { run, startRecord, startState } = openRun(parseContract(contract), options);
  await Promise.all([startRecord, startState]);
  return run;
}
