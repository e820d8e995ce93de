import type { RedactionRule, SecretSpan } from "./redaction-rule.ts";

/** Shorter texts cannot hold a key; the alphabet is that of base64 and base64url. */
const CANDIDATE = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}/g;
/** Text only: what decodes to other control characters is binary data, and no secret of ours. */
// oxlint-disable-next-line no-control-regex -- control characters are the point
const BINARY = /[\u0000-\u0008\u000e-\u001f\ufffd]/;
const PROBE_CHARACTERS = 64;

/** Base64 text whose decoded form holds a secret (`holdsSecret`) is itself the secret. */
export function base64Rule(holdsSecret: (decoded: string) => boolean): RedactionRule {
  return (text) => {
    const spans: SecretSpan[] = [];
    for (const match of text.matchAll(CANDIDATE)) {
      const decoded = decodedText(match[0]);
      if (decoded === undefined || !holdsSecret(decoded)) continue;
      spans.push({ kind: "base64", start: match.index, end: match.index + match[0].length });
    }
    return spans;
  };
}

function decodedText(encoded: string): string | undefined {
  // A few characters tell words, paths and images from encoded text before a megabyte is decoded. Their last bytes
  // may be half a character, so they are left out.
  const probe = Buffer.from(encoded.slice(0, PROBE_CHARACTERS), "base64").subarray(0, -4).toString("utf8");
  if (BINARY.test(probe)) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  return BINARY.test(decoded) ? undefined : decoded;
}
