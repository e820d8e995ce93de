import type { ClosedRun, ReasonCode } from "../../instrumentation/index.ts";
import type { Script } from "../local-model/script.ts";
import type { ModelPlace } from "../local-model/converse.ts";

/** Where a scenario plays. */
export interface Stage {
  /** An empty folder of its own. */
  readonly folder: string;
  readonly model: ModelPlace;
  readonly onClosed: (closed: ClosedRun) => void;
}

/** One way an agent's run can go. */
export interface Scenario {
  readonly name: string;
  /** What is wrong, or what makes a good run worth a look; for people. */
  readonly about: string;
  /** Reasons the verdict must have, the failure class first; empty: the run must pass. */
  readonly expected: readonly ReasonCode[];
  /** What is missing is missing because a dependency is away, and the agent says so: `blocked`, not failed. Default false. */
  readonly isBlocked?: boolean;
  /** Runs the agent; gives what it told its user. A planted failure is silent, so throwing is a mismatch. */
  readonly play: (stage: Stage) => Promise<string>;
}

export interface Example {
  readonly agent: string;
  /** Plays the model when no provider is configured; absent: the agent asks none. */
  readonly script?: Script;
  readonly scenarios: readonly Scenario[];
  /** Ends what the scenarios share, such as a browser. */
  readonly dispose?: () => Promise<void>;
}
