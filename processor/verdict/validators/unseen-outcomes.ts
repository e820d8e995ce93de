import type { RunContract } from "../../../instrumentation/contract/contract.ts";
import type { ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import { NO_RESULT } from "../../evidence/inferred-tool-calls.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/**
 * A model asked for a call that may have changed something, and nothing tells whether it was made. Where the contract
 * speaks of such calls, that is no proof that they were not.
 */
export const unseenOutcomes: Validator = {
  name: "unseen-outcomes",
  validate(evidence, contract) {
    const unseen = evidence.toolCalls.filter(
      (call) => call.isInferred === true && call.errorClass === NO_RESULT && matters(call, contract),
    );
    if (unseen.length === 0) return NOTHING_FOUND;
    const reasons = unseen.map((call) => ({
      code: "evidence_incomplete" as const,
      clause: "",
      evidence: [{ kind: "tool_call" as const, id: call.spanId }],
      message: `whether the call of "${call.name}" was made cannot be told: no result of it was given to the model`,
    }));
    return { reasons, proofs: [] };
  },
};

function matters({ name, sideEffect }: ToolCallEvidence, { mutations, sideEffects }: RunContract): boolean {
  const isForbidden =
    mutations !== undefined &&
    (mutations.forbiddenTools.includes(name) || mutations.forbiddenClasses.includes(sideEffect));
  if (isForbidden || sideEffects === undefined) return isForbidden;
  const isExpected = sideEffects.expected.some(({ tool }) => tool === name);
  return isExpected || (sideEffects.others === "forbid" && sideEffect !== "read");
}
