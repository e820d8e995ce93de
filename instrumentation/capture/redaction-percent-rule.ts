import type { RedactionRule, SecretSpan } from "./redaction-rule.ts";

/** What stands in a URL or a form without a break. */
const STRETCH = /[^\s"'<>`]{8,}/g;
const ENCODED = /%[0-9A-Fa-f]{2}/;

/**
 * Secrets in percent-encoded text, as URLs and forms carry them: what `rules` find in the decoded text is the secret in the
 * encoded one. A `+` is a blank in forms and itself elsewhere; both readings are searched.
 */
export function percentRule(rules: readonly RedactionRule[]): RedactionRule {
  return (text) => {
    if (!text.includes("%") && !text.includes("+")) return [];
    const spans: SecretSpan[] = [];
    for (const match of text.matchAll(STRETCH)) {
      for (const plus of readings(match[0])) {
        const found = spansIn(decodedText(match[0], plus), rules);
        spans.push(...found.map((it) => ({ ...it, start: it.start + match.index, end: it.end + match.index })));
        if (found.length > 0) break;
      }
    }
    return spans;
  };
}

/** What a `+` may mean here. */
function readings(stretch: string): readonly string[] {
  const hasPlus = stretch.includes("+");
  if (ENCODED.test(stretch)) return hasPlus ? ["+", " "] : ["+"];
  return hasPlus && stretch.length <= MAX_PLAIN_FORM ? [" "] : [];
}

/** A longer stretch without any `%` is base64 and no form. */
const MAX_PLAIN_FORM = 8_192;

interface Decoded {
  readonly text: string;
  /** Where each decoded character began, and at the end the length of the encoded text. */
  readonly starts: readonly number[];
}

/** Bytes above ASCII stand for one unknown character each: no secret of ours is made of them. */
function decodedText(encoded: string, plus: string): Decoded {
  const starts: number[] = [];
  let text = "";
  for (let i = 0; i < encoded.length; i++) {
    const char = encoded.charAt(i);
    const code = char === "%" ? hexByte(encoded, i + 1) : undefined;
    starts.push(i);
    if (code === undefined) text += char === "+" ? plus : char;
    else {
      text += code < 0x80 ? String.fromCharCode(code) : "\ufffd";
      i += 2;
    }
  }
  starts.push(encoded.length);
  return { text, starts };
}

function hexByte(text: string, at: number): number | undefined {
  const digits = text.slice(at, at + 2);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

/** The spans of the encoded text; of two that overlap the rule that comes first has its way. */
function spansIn({ text, starts }: Decoded, rules: readonly RedactionRule[]): SecretSpan[] {
  const found: SecretSpan[] = [];
  for (const rule of rules) {
    const known = [...found];
    for (const span of rule(text)) if (!overlapsAny(span, known)) found.push(span);
    found.sort((a, b) => a.start - b.start);
  }
  return found.map(({ kind, start, end }) => ({ kind, start: starts[start] ?? 0, end: starts[end] ?? 0 }));
}

/** `sorted` by start and without overlap; found by halving, because there may be as many as the text is long. */
function overlapsAny({ start, end }: SecretSpan, sorted: readonly SecretSpan[]): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.end ?? 0) <= start) low = middle + 1;
    else high = middle;
  }
  return (sorted[low]?.start ?? Infinity) < end;
}
