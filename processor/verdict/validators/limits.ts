import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { RetriedExchange, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import type { Validator } from "../validator.ts";

/** Time, steps and retries stayed inside the contract. */
export const limits: Validator = {
  name: "limits",
  validate(evidence, contract) {
    const { timeoutSeconds, maxSteps, maxRetries } = contract.limits;
    const reasons: Reason[] = [];
    const elapsed = evidence.elapsedSeconds;
    const run = [{ kind: "run", id: evidence.runId }] as const;
    if (evidence.phase === "ended" && elapsed !== null && elapsed > timeoutSeconds) {
      const message = `the run took ${elapsed.toFixed(3)} s, the limit is ${timeoutSeconds} s`;
      reasons.push({ code: "timeout_exceeded", clause: "/limits/timeoutSeconds", evidence: run, message });
    }
    const steps = evidence.closing?.stepCount ?? 0;
    if (maxSteps !== undefined && steps > maxSteps) {
      const message = `the run took ${steps} steps, the limit is ${maxSteps}`;
      reasons.push({ code: "steps_exceeded", clause: "/limits/maxSteps", evidence: run, message });
    }
    if (maxRetries !== undefined) {
      reasons.push(...retryReasons(evidence.toolCalls, maxRetries));
      reasons.push(...hiddenRetryReasons(evidence.retriedExchanges ?? [], maxRetries));
    }
    return { reasons, proofs: [] };
  },
};

/** Tries of one call are its attempts, and every further call of that tool with those arguments after a failure. */
function retryReasons(calls: readonly ToolCallEvidence[], maxRetries: number): Reason[] {
  return [...Map.groupBy(calls, callKey).values()].flatMap((tries) => {
    const failures = tries.reduce((sum, call) => sum + failedAttempts(call), 0);
    if (failures === 0 || failures <= maxRetries) return [];
    return tries.some(succeeded)
      ? [reason("retried", tries, `succeeded after ${failures} failed tries, ${maxRetries} retries are allowed`)]
      : [reason("retries_exhausted", tries, `failed ${failures} times, ${maxRetries} retries are allowed`)];
  });
}

const callKey = (call: ToolCallEvidence): string =>
  `${call.name} ${call.arguments === undefined ? call.spanId : canonicalJson(call.arguments)}`;

const succeeded = (call: ToolCallEvidence): boolean => call.errorClass === null;

function failedAttempts(call: ToolCallEvidence): number {
  const recorded = call.attempts.filter((attempt) => attempt.status === "error").length;
  return succeeded(call) ? recorded : Math.max(recorded, 1);
}

/** Tries that a client library made without a word. Each exchange of a request carries all tries up to it. */
function hiddenRetryReasons(exchanges: readonly RetriedExchange[], maxRetries: number): Reason[] {
  return [...Map.groupBy(exchanges, ({ request }) => request).values()].flatMap((tries) => {
    const failures = Math.max(
      ...tries.map(({ attempts }) => attempts.filter(({ status }) => status === "error").length),
    );
    if (failures <= maxRetries) return [];
    return tries.some(({ errorClass }) => errorClass === null)
      ? [reason("retried", tries, `succeeded after ${failures} failed tries, ${maxRetries} retries are allowed`)]
      : [reason("retries_exhausted", tries, `failed ${failures} times, ${maxRetries} retries are allowed`)];
  });
}

type Tried = Pick<ToolCallEvidence, "spanId" | "name">;

const reason = (code: ReasonCode, tries: readonly Tried[], text: string): Reason => ({
  code,
  clause: "/limits/maxRetries",
  evidence: tries
    .map((call) => ({ kind: "tool_call" as const, id: call.spanId }))
    .sort((a, b) => (a.id < b.id ? -1 : 1)),
  message: `the call of "${tries[0]?.name ?? ""}" ${text}`,
});
