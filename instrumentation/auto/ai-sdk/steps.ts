import { failOpen } from "../../fail-open.ts";
import type { Operation, Place } from "../operation/index.ts";

/** The steps of one operation: a model call, its further attempts, and the tools it asked for. */
export interface Steps {
  /** Makes one call of the model; in a step of its own, unless the call before failed: then it is tried again. */
  modelCall<Result>(call: () => PromiseLike<Result>): Promise<Result>;
  /** Where the tools are called that the last answer asked for. */
  current(): Place;
}

export function createSteps(operation: Operation): Steps {
  let place: Place | undefined;
  let failedBefore = false;
  return {
    async modelCall(call) {
      const step =
        place !== undefined && failedBefore ? place : failOpen("a step", () => operation.step("step"), operation);
      place = step;
      try {
        const result = await step.within(call);
        failedBefore = false;
        return result;
      } catch (error) {
        failedBefore = true;
        throw error;
      }
    },
    current: () => place ?? operation,
  };
}
