import { errorClassOf } from "../capture/error-class.ts";
import type { CallSpec } from "./call-spec.ts";
import { openCall, type OpenedCall } from "./open-call.ts";

/**
 * Makes one external call and records it under the current run. What the call gives back or throws reaches the caller
 * unchanged; recording that goes wrong is dropped, and then counted as missing evidence when the run closes.
 */
export async function recordCall<Result>(
  spec: CallSpec<Result>,
  args: unknown,
  execute: () => Promise<Result>,
): Promise<Result> {
  const call = openCall(spec as CallSpec<unknown>, args);
  if (call === undefined) return await execute();
  try {
    const result = await call.within(() => answerOrExecute(spec, call, execute));
    call.returned(result);
    return result;
  } catch (error) {
    call.threw(error);
    throw error;
  }
}

async function answerOrExecute<Result>(
  spec: CallSpec<Result>,
  call: OpenedCall,
  execute: () => Promise<Result>,
): Promise<Result> {
  const answer = await call.answer();
  if (answer === undefined) return await executeWithRetries(spec, call, execute);
  for (const attempt of answer.attempts ?? []) call.attempted(attempt);
  if (answer.outcome === "threw") throw answer.error;
  return answer.result as Result;
}

/** What a timer of Node can hold. */
const MAX_WAIT_MILLIS = 2 ** 31 - 1;

async function executeWithRetries<Result>(
  spec: CallSpec<Result>,
  call: OpenedCall,
  execute: () => Promise<Result>,
): Promise<Result> {
  const retries = spec.retries ?? 0;
  let waitMillis = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await execute();
      call.attempted({ status: "ok", errorClass: null, waitMillis });
      return result;
    } catch (error) {
      call.attempted({ status: "error", errorClass: errorClassOf(error), waitMillis });
      if (!(attempt < retries)) throw error;
      waitMillis = Math.min((spec.retryWaitMillis ?? 100) * 2 ** attempt, MAX_WAIT_MILLIS);
      await new Promise((resolve) => setTimeout(resolve, waitMillis));
    }
  }
}
