/** A stretch of text that holds a secret, `[start, end)` in UTF-16 units. */
export interface SecretSpan {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds secrets in text: in order and without overlap. Must run in time linear in the text, whatever the text is,
 * because the text is hostile.
 */
export type RedactionRule = (text: string) => readonly SecretSpan[];

/**
 * A rule from one pattern with the `g` flag. Named group `before` is the context that stays readable; the rest of the
 * match is the secret. `accept` refuses look-alikes.
 */
export function patternRule(kind: string, pattern: RegExp, accept?: (secret: string) => boolean): RedactionRule {
  return (text) => {
    const spans: SecretSpan[] = [];
    for (const match of text.matchAll(pattern)) {
      const start = match.index + (match.groups?.["before"]?.length ?? 0);
      const end = match.index + match[0].length;
      if (end > start && (accept === undefined || accept(text.slice(start, end)))) spans.push({ kind, start, end });
    }
    return spans;
  };
}

/** Skips a rule on text that cannot match, which is nearly all text. */
export const onlyWith =
  (hint: string, rule: RedactionRule): RedactionRule =>
  (text) =>
    text.includes(hint) ? rule(text) : [];
