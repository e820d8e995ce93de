import { answerHolds } from "../contract/answer-match.ts";
import type { ContentRule, RunContract } from "../contract/contract.ts";
import type { AnswerMatch } from "../contract/evidence.ts";
import type { JsonValue } from "../json/json.ts";
import type { Redactor } from "./redactor.ts";

/** The part of the closing evidence that tells of the answer. */
export interface RedactedAnswer {
  readonly answer: string | null;
  /** Absent when the redacted answer says all. */
  readonly answerMatches?: readonly AnswerMatch[];
}

/**
 * Redacts what a run told its user without changing what its contract finds there. A rule that speaks of a part of a
 * secret (`@`, a blank, the last digits of a card) finds it in the whole answer and not in the redacted one; what it
 * found is then written down beside it: one bit, never the text.
 */
export function redactedAnswer(
  answer: string | null,
  clause: RunContract["answer"],
  redactor: Pick<Redactor, "text" | "json">,
): RedactedAnswer {
  if (answer === null) return { answer };
  const kept = redactor.text(answer);
  const rules = [...(clause?.required ?? []), ...(clause?.forbidden ?? [])];
  const answerMatches = rules.flatMap((rule): AnswerMatch[] => {
    const redacted = redactor.json({ ...rule } satisfies JsonValue) as unknown as ContentRule;
    const holds = answerHolds(answer, rule);
    return holds === answerHolds(kept, redacted) ? [] : [{ rule: redacted, holds }];
  });
  return { answer: kept, ...(answerMatches.length > 0 && { answerMatches }) };
}
