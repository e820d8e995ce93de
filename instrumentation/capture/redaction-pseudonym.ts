import { createHmac } from "node:crypto";

/** Replaces a secret: `[redacted:<kind>:<12 hex>]`. */
export type Pseudonym = (kind: string, secret: string) => string;

const HEX_DIGITS = 12;
const SOURCE = String.raw`\[redacted:[a-z0-9_]{1,32}:[0-9a-fA-F]{${HEX_DIGITS}}\]`;
const WHOLE = new RegExp(`^${SOURCE}$`);
const PARTS = new RegExp(`(${SOURCE})`);

/** Kinds whose letter case carries no meaning, and which contracts compare without case. */
const CASELESS_KINDS: ReadonlySet<string> = new Set(["email"]);

/**
 * Pseudonyms keyed with HMAC-SHA-256: equal secrets stay equal, and without the key nobody can try a dictionary.
 * The kind is not hashed, so that a secret has the same digits wherever it was found.
 *
 * E-mail addresses that differ only in letter case get pseudonyms that differ only in letter case: a contract that
 * looks for `alice@example.org` regardless of case still finds `Alice@example.org`, and exact comparison still sees
 * two values (short of a chance collision, as only the hex letters can carry the difference).
 */
export function createPseudonym(key: string | Uint8Array): Pseudonym {
  const digest = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  return (kind, secret) => {
    const folded = CASELESS_KINDS.has(kind) ? secret.toLowerCase() : secret;
    const hex = digest(folded).toString("hex").slice(0, HEX_DIGITS);
    return `[redacted:${kind}:${folded === secret ? hex : withCaseOf(hex, digest(secret))}]`;
  };
}

function withCaseOf(hex: string, bits: Buffer): string {
  const cased = Array.from(hex, (digit, i) => ((bits[i] ?? 0) & 1 ? digit.toUpperCase() : digit)).join("");
  return cased === hex ? hex.toUpperCase() : cased;
}

export const isPseudonym = (text: string): boolean => WHOLE.test(text);

/** Splits text into plain parts (even places) and pseudonyms (odd places). */
export const splitAtPseudonyms = (text: string): string[] => (text.includes("[redacted:") ? text.split(PARTS) : [text]);
