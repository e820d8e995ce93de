import { commitProblems, currentCode } from "./current-code.ts";
import type { FixtureOnDisk } from "./fixture-on-disk.ts";
import { type LifeCycle, type LifeCycleFacts, lifeCycleOf } from "./life-cycle.ts";
import type { Repository } from "./repository.ts";

/** The prompt version, model and tools of an agent's newest live run; `undefined` when there is nothing to compare with. */
export type NewestRun = (agentName: string) => Promise<LifeCycleFacts["newestRun"]>;

export interface LifeCycleOptions {
  /** The checkout the agents' code is in; `null` when there is none, which makes every certified fixture stale. */
  readonly repository: Repository | null;
  readonly maxAgeDays: number;
  /** Absent: only the code is compared. */
  readonly newestRun?: NewestRun | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The state of a fixture now: `lifeCycleOf` with what git and the newest live run say. */
export async function lifeCycleNow(onDisk: FixtureOnDisk, options: LifeCycleOptions): Promise<LifeCycle> {
  const { notes, input } = onDisk.fixture;
  const { certification } = notes;
  const { repository, maxAgeDays, now } = options;
  const facts = { contentSha256: onDisk.contentSha256, now, maxAgeDays };
  if (certification?.result !== "certified" || notes.retirement !== undefined) {
    // Decided without a look at the code.
    return lifeCycleOf(notes, { ...facts, commitProblems: [], code: { known: false, why: "" } });
  }
  const newestRun = await options.newestRun?.(input.agent_name);
  return lifeCycleOf(notes, {
    ...facts,
    commitProblems: await commitProblems(repository, certification),
    code: await currentCode(repository, certification.fingerprints.code),
    ...(newestRun && { newestRun }),
  });
}
