import { closedAnswerHolds } from "../../../instrumentation/contract/answer-match.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** What the run told its user holds what it must, and nothing it must not. */
export const answer: Validator = {
  name: "answer",
  validate(evidence, contract) {
    const clause = contract.answer;
    const { closing } = evidence;
    if (clause === undefined || closing === null) return NOTHING_FOUND;
    const reasons: Reason[] = [];
    const proofs: Proof[] = [];
    for (const [index, rule] of clause.required.entries()) {
      const pointer = `/answer/required/${index}`;
      if (closedAnswerHolds(closing, rule))
        proofs.push({ clause: pointer, evidence: ANSWER, observed: `the answer has "${rule.contains}"` });
      else reasons.push(reason("required_content_missing", pointer, `does not have "${rule.contains}"`));
    }
    for (const [index, rule] of clause.forbidden.entries()) {
      if (closedAnswerHolds(closing, rule))
        reasons.push(reason("forbidden_content", `/answer/forbidden/${index}`, `has "${rule.contains}"`));
    }
    return { reasons, proofs };
  },
};

const ANSWER = [{ kind: "answer", id: "answer" }] as const;

const reason = (code: Reason["code"], clause: string, text: string): Reason => ({
  code,
  clause,
  evidence: ANSWER,
  message: `the answer ${text}`,
});
