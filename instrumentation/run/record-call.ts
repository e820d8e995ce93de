import { callInterceptor, type CallAnswer } from "../capture/call-interceptor.ts";
import { errorClassOf } from "../capture/error-class.ts";
import type { JsonValue } from "../json/json.ts";
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
    // Only a replay answers; to ask it nevertheless would cost each call of a tool three promises.
    const answer = callInterceptor() === undefined ? undefined : await call.within(() => call.answer());
    const result = answer === undefined ? await executed(call, execute, spec) : (resultOf(call, answer) as Result);
    call.returned(result);
    return result;
  } catch (error) {
    call.threw(error);
    throw error;
  }
}

function resultOf(call: OpenedCall, answer: CallAnswer): JsonValue {
  for (const attempt of answer.attempts ?? []) call.attempted(attempt);
  if (answer.outcome === "threw") throw answer.error;
  return answer.result;
}

/** What a timer of Node can hold. */
const MAX_WAIT_MILLIS = 2 ** 31 - 1;
const SUCCEEDED = { status: "ok", errorClass: null, waitMillis: 0 } as const;

async function executed<Result>(
  call: OpenedCall,
  execute: () => Promise<Result>,
  { retries = 0, retryWaitMillis = 100 }: CallSpec<Result>,
): Promise<Result> {
  let waitMillis = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await call.within(execute);
      call.attempted(waitMillis === 0 ? SUCCEEDED : { ...SUCCEEDED, waitMillis });
      return result;
    } catch (error) {
      call.attempted({ status: "error", errorClass: errorClassOf(error), waitMillis });
      if (!(attempt < retries)) throw error;
      waitMillis = Math.min(retryWaitMillis * 2 ** attempt, MAX_WAIT_MILLIS);
      await new Promise((resolve) => setTimeout(resolve, waitMillis));
    }
  }
}
