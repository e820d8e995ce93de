import { splitAtPseudonyms } from "../capture/redaction-pseudonym.ts";
import type { ContentRule } from "./contract.ts";
import type { AnswerMatch } from "./evidence.ts";

/** Whether an answer, redacted or not, has what a rule looks for. */
export function answerHolds(text: string, rule: ContentRule): boolean {
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

/** What the whole answer said of a rule, where that is known, else what the redacted one says. */
export function closedAnswerHolds(
  closing: { readonly answer: string | null; readonly answerMatches?: readonly AnswerMatch[] | undefined },
  rule: ContentRule,
): boolean {
  const known = closing.answerMatches?.find((match) => isSameRule(match.rule, rule));
  return known?.holds ?? answerHolds(closing.answer ?? "", rule);
}

const isSameRule = (a: ContentRule, b: ContentRule): boolean =>
  a.contains === b.contains && a.ignoreCase === b.ignoreCase && a.ignoreCharacters === b.ignoreCharacters;
