import type { ActiveRun } from "./active-run.ts";

// One slot for the process: the copy of the package that closes a run may not be the one that watches its calls.
const SLOT = Symbol.for("runproof.open-calls");
const slots = globalThis as unknown as Record<symbol, WeakMap<ActiveRun, Set<() => void>> | undefined>;
const leaves = (slots[SLOT] ??= new WeakMap());

/** What a run has to tell to leave when it closes: exchanges whose answers nobody reads to their end. */
export function openCallsOf(run: ActiveRun): Set<() => void> {
  const open = leaves.get(run) ?? new Set();
  leaves.set(run, open);
  return open;
}

/** Ends the record of calls that are still under way. The calls themselves go on. */
export function leaveOpenCalls(run: ActiveRun): void {
  for (const leave of [...openCallsOf(run)]) leave();
}
