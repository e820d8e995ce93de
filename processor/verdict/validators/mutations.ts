import type { ToolCallEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** No successful call of a tool, or a class of side effects, that this task must not use. */
export const mutations: Validator = {
  name: "mutations",
  validate(evidence, contract) {
    const clause = contract.mutations;
    if (clause === undefined) return NOTHING_FOUND;
    const tools = new Set(clause.forbiddenTools);
    const classes = new Set<string>(clause.forbiddenClasses);
    const reasons = evidence.toolCalls
      .filter((call) => call.errorClass === null)
      .flatMap((call) => {
        if (tools.has(call.name)) return [reason(call, "/mutations/forbiddenTools", "must not be called with success")];
        if (classes.has(call.sideEffect)) {
          return [reason(call, "/mutations/forbiddenClasses", `has a side effect of the class "${call.sideEffect}"`)];
        }
        return [];
      });
    return { reasons, proofs: [] };
  },
};

const reason = (call: ToolCallEvidence, clause: string, text: string): Reason => ({
  code: "forbidden_mutation",
  clause,
  evidence: [{ kind: "tool_call", id: call.spanId }],
  message: `the call of "${call.name}" ${text}`,
});
