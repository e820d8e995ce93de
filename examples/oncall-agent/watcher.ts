import { defineContract, type RunContract, withRun } from "../../instrumentation/index.ts";
import { type RunPlace, runOptions } from "../scenarios/run-place.ts";
import { type Alert, type PagerTools, pagerTools } from "./pager-tools.ts";

/** A run that failed. */
export interface SeenFailure {
  readonly run: string;
  readonly service: string;
  readonly failureClass: string;
}

export interface WatchTask {
  readonly failures: readonly SeenFailure[];
  /** URL of the pager. */
  readonly pager: string;
}

export interface SentAlert extends Alert {
  readonly reference: string;
}

/** The places where this agent can go wrong without a word. */
export interface WatchWays {
  /** Failures with the same key are one alert. */
  readonly keyOf: (failure: SeenFailure) => string;
  /** What it does when the pager refuses an alert; throwing ends the run. */
  readonly onRefused: (error: unknown) => void;
  /** What it does in the end about alerts it holds to be double. */
  readonly tidyUp: (sent: readonly SentAlert[], tools: PagerTools) => Promise<unknown>;
}

/** Somebody is woken exactly once for each kind of failure, the pager confirmed it, and nothing else was done. */
const contractFor = ({ failures }: WatchTask): RunContract =>
  defineContract({
    agent: "oncall-agent",
    tools: { allowed: ["send_alert", "resolve_alert"] },
    sideEffects: {
      expected: [...new Set(failures.map(({ failureClass }) => failureClass))].map((failureClass) => ({
        tool: "send_alert",
        arguments: { failureClass },
        match: "subset" as const,
        confirmedBy: "reference" as const,
      })),
      others: "forbid",
    },
    limits: { timeoutSeconds: 60, maxSteps: 40 },
  });

/** Looks through failed runs and alerts people once for each kind of failure. */
export const createWatcher =
  (ways: WatchWays) =>
  (input: WatchTask, place: RunPlace = {}): Promise<string> =>
    withRun(
      contractFor(input),
      async (run) => {
        const tools = pagerTools(input.pager);
        const handled = new Set<string>();
        const sent: SentAlert[] = [];
        for (const failure of input.failures) {
          const key = ways.keyOf(failure);
          if (handled.has(key)) continue;
          handled.add(key);
          const { failureClass, service } = failure;
          try {
            sent.push({ failureClass, service, ...(await tools.sendAlert({ failureClass, service })) });
          } catch (error) {
            ways.onRefused(error);
          }
        }
        await ways.tidyUp(sent, tools);
        run.claim("done", `${handled.size} alerts`);
        return `${input.failures.length} failures seen; on-call was alerted to each kind of them.`;
      },
      { input, taskId: `watch:${input.failures[0]?.run ?? "none"}`, ...runOptions(place) },
    );
