import { OtlpDecodeError } from "./decode-error.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from "./limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** `[` and `{`, `]` and `}` differ in this bit only. */
const BRACE_BIT = 0x20;
const OPEN = 0x5b | BRACE_BIT;
const CLOSE = 0x5d | BRACE_BIT;
/** From 16 digits on, an integer may not fit a double. */
const LONG_INTEGER_DIGITS = 16;

/**
 * Looks at JSON before anything allocates for it: `JSON.parse` follows five million levels of nesting, and what walks
 * the result then overflows the stack. One pass over the bytes, constant memory; broken JSON is left to the parser.
 *
 * @throws OtlpDecodeError `too_deep` or `too_many`
 * @returns whether a bare integer may be too long for a double
 */
export function scanJson(bytes: Uint8Array): { readonly hasLongIntegers: boolean } {
  let depth = 0;
  let values = 0;
  let digits = 0;
  let hasLongIntegers = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte >= DIGIT_0 && byte <= DIGIT_9) {
      if (++digits === LONG_INTEGER_DIGITS) hasLongIntegers = true;
      continue;
    }
    digits = 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) values++;
    else if ((byte | BRACE_BIT) === OPEN) {
      values++;
      if (++depth > MAX_JSON_DEPTH) {
        throw new OtlpDecodeError("too_deep", `JSON is nested more than ${MAX_JSON_DEPTH} levels deep`, {
          byteOffset: at,
        });
      }
    } else if ((byte | BRACE_BIT) === CLOSE) depth--;
    if (values > MAX_JSON_VALUES) {
      throw new OtlpDecodeError("too_many", `JSON holds more than ${MAX_JSON_VALUES} values`, { byteOffset: at });
    }
  }
  return { hasLongIntegers };
}

/** Index of the closing quote, or the end of the input. */
function endOfString(bytes: Uint8Array, openingQuote: number): number {
  let at = openingQuote + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
