import { onlyWith, patternRule, type RedactionRule, type SecretSpan } from "./redaction-rule.ts";
import { isSecretName } from "./redaction-secret-names.ts";

const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const PEM_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** PEM private keys. A key that was cut off is taken to the end of the text: what is left of it must not leak. */
const privateKeyRule: RedactionRule = onlyWith("PRIVATE KEY", (text) => {
  const spans: SecretSpan[] = [];
  const begin = new RegExp(PEM_BEGIN);
  const finish = new RegExp(PEM_END);
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    finish.lastIndex = begin.lastIndex;
    const end = finish.exec(text) === null ? text.length : finish.lastIndex;
    spans.push({ kind: "private_key", start: match.index, end });
    begin.lastIndex = end;
  }
  return spans;
});

/** Passwords in URLs and connection strings: `scheme://user:password@host`. */
const urlPasswordRule = onlyWith(
  "://",
  patternRule(
    "secret",
    /(?<before>(?<![A-Za-z0-9])[A-Za-z][\w+.-]{1,30}:\/\/[^\s:@/?#"'<>]{0,256}:)[^\s/?#"'<>]{1,1024}(?=@)/g,
  ),
);

/** A token in place of the user: `https://<token>@host`. */
const urlUserRule = onlyWith(
  "://",
  patternRule("secret", /(?<before>(?<![A-Za-z0-9])https?:\/\/)[^\s:@/?#"'<>]{16,1024}(?=@)/gi),
);

/** Signed or keyed URLs. Short `key` and `code` values are ordinary parameters. */
const queryRule = onlyWith(
  "=",
  patternRule("secret", /(?<before>[?&](?:key|code|sig|x-amz-credential|x-goog-credential)=)[^\s&#"'<>]{20,}/gi),
);

/** The rest of a cookie header line. */
const cookieRule: RedactionRule = patternRule(
  "cookie",
  /(?<before>(?<![A-Za-z0-9])(?:set-)?cookie["'\\]{0,4}: ?["'\\]{0,4})[^\s=;"'\\]{1,256}=[^\r\n"'\\]{1,8192}/gi,
);

/** `Bearer x` and kin. Words such as "bearer certificates" stay: a credential has a digit or is long. */
const schemeRule: RedactionRule = patternRule(
  "secret",
  /(?<before>(?<![A-Za-z0-9])(?:bearer|basic|apikey|token) {1,4})[\w.~+/-]{8,}={0,2}/gi,
  (secret) =>
    secret.length >= 24 || (secret.length >= 8 && /\d/.test(secret) && /[A-Za-z]/.test(secret)) || isBasic(secret),
);
const isBasic = (secret: string): boolean =>
  /^[\x20-\x7e]{1,}:[\x20-\x7e]{1,}$/.test(Buffer.from(secret, "base64").toString("latin1"));

const ASSIGNMENT = /(?<![\w.$-])[\w.$-]{1,64}["'\\]{0,8}[ \t]{0,2}(?:=>|[:=])[ \t]{0,2}["'\\]{0,8}/g;
/** Parts of all secret names: text without any of them is not searched for assignments, which is nearly all text. */
const NAME_PARTS =
  /pass|pwd|secret|token|key|auth|cook|sess|jwt|bearer|otp|cv[vc]|ssn|iban|pan|sid|credential|sas|signat|connection/i;
const FLAG = /(?<!\S)--[\w-]{2,64} {1,3}["']?(?=\S{4})/g;
const SCHEME = /(?:bearer|basic|digest|token|apikey) +/iy;
const TRAILING = /[.,:!?)\]}]+$/;

/** `password=…`, `api_key: …`, `"client_secret": "…"`, `--token …`, by the name before the value. */
export function assignmentRule(extraNames: ReadonlySet<string>): RedactionRule {
  const spansOf = (pattern: RegExp, text: string): SecretSpan[] => {
    const spans: SecretSpan[] = [];
    const search = new RegExp(pattern);
    for (let match = search.exec(text); match !== null; match = search.exec(text)) {
      const name = /[\w.$-]+/.exec(match[0])?.[0] ?? "";
      if (!isSecretName(name, extraNames)) continue;
      const span = assignedValue(text, match[0], search.lastIndex);
      if (span === undefined) continue;
      spans.push(span);
      search.lastIndex = span.end;
    }
    return spans;
  };
  return (text) => {
    if (extraNames.size === 0 && !NAME_PARTS.test(text)) return [];
    if (text.includes("=") || text.includes(":")) {
      const spans = spansOf(ASSIGNMENT, text);
      if (spans.length > 0) return spans;
    }
    return text.includes("--") ? spansOf(FLAG, text) : [];
  };
}

function assignedValue(text: string, lead: string, from: number): SecretSpan | undefined {
  SCHEME.lastIndex = from;
  const start = SCHEME.test(text) ? SCHEME.lastIndex : from;
  const quote = /["']$/.exec(lead)?.[0];
  const end = quote === undefined ? bareEnd(text, start) : quotedEnd(text, start, quote);
  const value = text.slice(start, end);
  if (value.length < 4) return undefined;
  // After "name: " prose is as likely as a value: "Secret: nobody knows" must stay readable.
  const prose = quote === undefined && /:[ \t]+$/.test(lead) && start === from;
  return prose && value.length < 20 && /^[A-Za-z]+$/.test(value) ? undefined : { kind: "secret", start, end };
}

function bareEnd(text: string, start: number): number {
  const stop = /[\s"'`<>;&,\\]|$/g;
  stop.lastIndex = start;
  const end = stop.exec(text)?.index ?? text.length;
  const trailing = TRAILING.exec(text.slice(Math.max(start, end - 8), end));
  return trailing === null ? end : end - trailing[0].length;
}

/** An escaped quote ends the value only when the opening one was escaped as well. */
function quotedEnd(text: string, start: number, quote: string): number {
  const escaped = text.charAt(start - 2) === "\\";
  for (let i = start; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === quote || char === "\n") return i;
    if (char === "\\") {
      if (escaped && /\\*["']/y.test(text.slice(i, i + 8))) return i;
      i++;
    }
  }
  return text.length;
}

/**
 * Rules that recognise a secret by what stands before it. They run first, so that a secret is taken whole, and share
 * one kind, so that a password is the same in a URL and in a header.
 */
export const contextRules = (extraNames: ReadonlySet<string>): readonly RedactionRule[] => [
  privateKeyRule,
  urlPasswordRule,
  urlUserRule,
  cookieRule,
  assignmentRule(extraNames),
  schemeRule,
  queryRule,
];
