import { type Check, fail, ok } from "./health-check.ts";

export type LifecycleState = "starting" | "running" | "draining";

/** Where the service is between its start and its end. */
export interface Lifecycle {
  readonly state: LifecycleState;
  running(): void;
  draining(): void;
  /** For readiness. */
  check(): Check;
  /** For liveness: draining has a bound, and a service far beyond it will not end by itself. */
  overdueCheck(): Check;
}

const MESSAGES: Readonly<Record<LifecycleState, string>> = {
  starting: "The service starts.",
  running: "",
  draining: "The service stops; it takes no new requests.",
};
/** Beyond the bound of the drain: stopping the components around it. */
const SLACK_MILLIS = 60_000;

/** `now`: monotonic, milliseconds. */
export function createLifecycle(drainMillis: number, now: () => number = () => performance.now()): Lifecycle {
  let state: LifecycleState = "starting";
  let drainingSince = 0;
  return {
    get state() {
      return state;
    },
    running() {
      if (state === "starting") state = "running";
    },
    draining() {
      if (state === "draining") return;
      state = "draining";
      drainingSince = now();
    },
    check: () => (state === "running" ? ok("lifecycle") : fail("lifecycle", MESSAGES[state])),
    overdueCheck() {
      const isOverdue = state === "draining" && now() - drainingSince > drainMillis + SLACK_MILLIS;
      return isOverdue ? fail("shutdown", "The service should have ended by now.") : ok("shutdown");
    },
  };
}
