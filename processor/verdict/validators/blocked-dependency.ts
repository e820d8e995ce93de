import { DEPENDENCY_ERROR_CLASSES } from "../../../instrumentation/capture/error-class.ts";
import type { RunEvidence, ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/**
 * A run is blocked when it says so (or was thrown out) and a call shows the outage: a tool failed for want of its
 * dependency and never succeeded afterwards. The agent's word alone blocks nothing.
 */
export const blockedDependency: Validator = {
  name: "blocked-dependency",
  validate(evidence) {
    if (evidence.closing === null || !gaveUp(evidence)) return NOTHING_FOUND;
    const reasons = [...Map.groupBy(evidence.toolCalls, (call) => call.name).values()].flatMap((calls) => {
      const last = calls.toSorted(byTime).at(-1);
      return last !== undefined && isOutage(last) ? [outage(last)] : [];
    });
    return { reasons, proofs: [] };
  },
};

const gaveUp = (evidence: RunEvidence): boolean =>
  evidence.closing?.claim?.outcome === "blocked" ||
  DEPENDENCY_ERROR_CLASSES.has(evidence.closing?.error?.errorClass ?? "");

const isOutage = (call: ToolCallEvidence): boolean => DEPENDENCY_ERROR_CLASSES.has(call.errorClass ?? "");

// Decimal nanosecond texts of one length compare as numbers; a shorter one is earlier.
const byTime = (a: ToolCallEvidence, b: ToolCallEvidence): number =>
  a.startUnixNano.length - b.startUnixNano.length ||
  (a.startUnixNano < b.startUnixNano ? -1 : a.startUnixNano > b.startUnixNano ? 1 : a.spanId < b.spanId ? -1 : 1);

const outage = (call: ToolCallEvidence): Reason => ({
  code: "blocked_dependency",
  clause: "",
  evidence: [{ kind: "tool_call", id: call.spanId }],
  message: `the dependency behind "${call.name}" was unavailable (${call.errorClass ?? ""})`,
});
