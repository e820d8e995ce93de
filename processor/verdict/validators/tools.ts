import type { ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** Only allowed tools were called, no forbidden one; a refused or failed attempt counts too. */
export const tools: Validator = {
  name: "tools",
  validate(evidence, contract) {
    const clause = contract.tools;
    if (clause === undefined) return NOTHING_FOUND;
    const allowed = clause.allowed === undefined ? null : new Set(clause.allowed);
    const forbidden = new Set(clause.forbidden ?? []);
    const reasons = evidence.toolCalls.flatMap((call) => {
      if (forbidden.has(call.name)) return [reason(call, "/tools/forbidden", "is forbidden")];
      if (allowed !== null && !allowed.has(call.name))
        return [reason(call, "/tools/allowed", "is not on the list of allowed tools")];
      return [];
    });
    return { reasons, proofs: [] };
  },
};

const reason = (call: ToolCallEvidence, clause: string, text: string): Reason => ({
  code: "tool_not_allowed",
  clause,
  evidence: [{ kind: "tool_call", id: call.spanId }],
  message: `tool "${call.name}" ${text}`,
});
