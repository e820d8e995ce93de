import { splitAtPseudonyms } from "../../../instrumentation/capture/redaction-pseudonym.ts";
import type { ContentRule } from "../../../instrumentation/contract/contract.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** What the run told its user holds what it must, and nothing it must not. */
export const answer: Validator = {
  name: "answer",
  validate(evidence, contract) {
    const clause = contract.answer;
    if (clause === undefined || evidence.closing === null) return NOTHING_FOUND;
    const text = evidence.closing?.answer ?? "";
    const reasons: Reason[] = [];
    const proofs: Proof[] = [];
    for (const [index, rule] of clause.required.entries()) {
      const pointer = `/answer/required/${index}`;
      if (holds(text, rule))
        proofs.push({ clause: pointer, evidence: ANSWER, observed: `the answer has "${rule.contains}"` });
      else reasons.push(reason("required_content_missing", pointer, `does not have "${rule.contains}"`));
    }
    for (const [index, rule] of clause.forbidden.entries()) {
      if (holds(text, rule))
        reasons.push(reason("forbidden_content", `/answer/forbidden/${index}`, `has "${rule.contains}"`));
    }
    return { reasons, proofs };
  },
};

const ANSWER = [{ kind: "answer", id: "answer" }] as const;

function holds(text: string, rule: ContentRule): boolean {
  const plain = (value: string): string => {
    const kept = Array.from(value)
      .filter((character) => !rule.ignoreCharacters.includes(character))
      .join("");
    return rule.ignoreCase ? kept.toLowerCase() : kept;
  };
  // The letters and digits of a pseudonym were never in the answer: only a contract that names the secret may find it.
  const namesSecret = splitAtPseudonyms(rule.contains).length > 1;
  const parts = namesSecret ? [text] : splitAtPseudonyms(text).filter((_part, index) => index % 2 === 0);
  return parts.some((part) => plain(part).includes(plain(rule.contains)));
}

const reason = (code: Reason["code"], clause: string, text: string): Reason => ({
  code,
  clause,
  evidence: ANSWER,
  message: `the answer ${text}`,
});
