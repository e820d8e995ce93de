import { onlyWith, patternRule, type RedactionRule, type SecretSpan } from "./redaction-rule.ts";

/** Digits with single blanks or hyphens between them, not part of a word or of a decimal number. */
const DIGIT_RUN = /(?<![\w.])\d+(?:[ -]\d+)*(?![\w]|\.\d)/g;
/** How cards are printed: 4-4-4-4, with up to three more digits, or 4-6-5 and 4-6-4. */
const CARD_SHAPES: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
];
/** Leading digits of the card networks. Times in milli- or nanoseconds start with 1 and are none. */
const NETWORK = /^(?:4|5[0-8]|6|3[0-9]|2[2-7])/;

/** Payment cards: 13-19 digits of a network that pass the Luhn check, alone or printed in groups. */
export const cardRule: RedactionRule = (text) => {
  const spans: SecretSpan[] = [];
  for (const run of text.matchAll(DIGIT_RUN)) {
    if (run[0].length < 13) continue;
    const groups = [...run[0].matchAll(/\d+/g)];
    for (let i = 0; i < groups.length;) {
      const taken = cardGroups(groups.slice(i, i + 5).map((group) => group[0]));
      const first = groups[i];
      const last = groups[i + taken - 1];
      if (taken > 0 && first !== undefined && last !== undefined) {
        const start = run.index + first.index;
        spans.push({ kind: "card", start, end: run.index + last.index + last[0].length });
      }
      i += Math.max(1, taken);
    }
  }
  return spans;
};

/** How many of the first groups make up one card number; 0 when none does. */
function cardGroups(groups: readonly string[]): number {
  if (isCardNumber(groups[0] ?? "")) return 1;
  for (const shape of CARD_SHAPES) {
    const printed = shape.every((length, i) => groups[i]?.length === length);
    if (printed && isCardNumber(groups.slice(0, shape.length).join(""))) return shape.length;
  }
  return 0;
}

/** Whether these digits are a card number: length, network and Luhn check. */
export function isCardNumber(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || !NETWORK.test(digits)) return false;
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** US social security numbers, without the ranges that are never given out. */
export const ssnRule: RedactionRule = onlyWith(
  "-",
  patternRule("ssn", /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g),
);

/** Length of an IBAN by country (ISO 13616 registry). */
const IBAN_LENGTHS = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 " +
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 " +
    "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 " +
    "SI19 SK24 SM27 ST25 SV28 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);
const IBAN_START = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ A-Z0-9])/g;

/** IBANs, in one piece or in groups of four: country length and checksum (mod 97) must hold. */
export const ibanRule: RedactionRule = (text) => {
  const spans: SecretSpan[] = [];
  for (const { index } of text.matchAll(IBAN_START)) {
    const end = ibanEnd(text, index);
    if (end !== undefined) spans.push({ kind: "iban", start: index, end });
  }
  return spans;
};

function ibanEnd(text: string, start: number): number | undefined {
  const length = IBAN_LENGTHS.get(text.slice(start, start + 2));
  if (length === undefined) return undefined;
  let iban = "";
  let end = start;
  while (iban.length < length && end < text.length) {
    const char = text.charAt(end);
    if (/[A-Z0-9]/.test(char)) iban += char;
    else if (char !== " " || iban.length % 4 !== 0 || text.charAt(end - 1) === " ") return undefined;
    end++;
  }
  const closed = iban.length === length && !/[A-Za-z0-9]/.test(text.charAt(end));
  return closed && ibanRemainder(iban) === 1 ? end : undefined;
}

function ibanRemainder(iban: string): number {
  let remainder = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(char, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}
