import type { Verdict } from "../instrumentation/contract/verdict.ts";
import * as semconv from "../instrumentation/semconv.ts";

/** A verdict as span attributes. */
export const verdictAttributes = (verdict: Verdict): Record<string, string> => ({
  [semconv.ATTR_VERDICT_STATUS]: verdict.status,
  [semconv.ATTR_VERDICT_REASONS]: JSON.stringify(verdict.reasons),
  [semconv.ATTR_VERDICT_PROOFS]: JSON.stringify(verdict.proofs),
  ...(verdict.failureClass === null ? {} : { [semconv.ATTR_VERDICT_FAILURE_CLASS]: verdict.failureClass }),
  ...(verdict.failureReason === null ? {} : { [semconv.ATTR_VERDICT_FAILURE_REASON]: verdict.failureReason }),
});

/** The same as the OpenTelemetry event that evaluations are carried by. */
export const evaluationAttributes = (verdict: Verdict): Record<string, string> => ({
  [semconv.ATTR_EVALUATION_NAME]: semconv.EVALUATION_RUN_VERDICT,
  [semconv.ATTR_EVALUATION_SCORE_LABEL]: verdict.status,
  [semconv.ATTR_EVALUATION_SCORE_VALUE]: verdict.status === "passed" ? "1" : "0",
  [semconv.ATTR_EVALUATION_EXPLANATION]: verdict.failureReason ?? "every clause of the contract was proven",
});
