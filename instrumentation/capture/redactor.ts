import { MAX_JSON_DEPTH, parseJson, type JsonValue } from "../json/json.ts";
import { base64Rule } from "./redaction-base64-rule.ts";
import { contextRules } from "./redaction-context-rules.ts";
import { rewriteJsonText } from "./redaction-json-text.ts";
import { isCardNumber } from "./redaction-number-rules.ts";
import { percentRule } from "./redaction-percent-rule.ts";
import { createPseudonym, isPseudonym, splitAtPseudonyms } from "./redaction-pseudonym.ts";
import { patternRule, type RedactionRule } from "./redaction-rule.ts";
import { bareName, isSecretHeader, isSecretName } from "./redaction-secret-names.ts";
import { TOKEN_RULES } from "./redaction-token-rules.ts";

export interface RedactorOptions {
  /** Key of the pseudonyms. Whoever compares redacted values must share it; whoever has it can try guesses. */
  readonly key: string | Uint8Array;
  /** What else is a secret; runs last. Their running time is their author's concern. */
  readonly extraPatterns?: readonly RegExp[];
  /** Names whose values are secrets; case and punctuation do not count. */
  readonly extraKeys?: readonly string[];
}

export interface Redaction<T> {
  readonly value: T;
  readonly changed: boolean;
}

/**
 * Replaces secrets with keyed pseudonyms. Deterministic and idempotent; equal values stay equal and different ones
 * different, so a contract that passed the same redactor gives the same verdict. Never throws: what cannot be redacted
 * is withheld whole.
 *
 * One thing changes: a text that names only part of a secret, or a secret that was recognised only by what stood
 * before it (`password: hunter2`), is no longer found inside redacted text. `redactedAnswer` takes care of the one place
 * where a verdict hangs on that.
 */
export interface Redactor {
  text(value: string): string;
  /** Deep. Values under secret names go whole, member names too, and JSON inside strings. */
  json(value: JsonValue): JsonValue;
  redactText(value: string): Redaction<string>;
  redactJson(value: JsonValue): Redaction<JsonValue>;
}

/** JSON inside a string inside JSON …: deeper than this is read as plain text. */
const MAX_NESTED_TEXTS = 4;
/** Taking a secret out can bring a word boundary next to another; one more pass is the rule, more are not seen. */
const MAX_PASSES = 4;
/** Short plain words: no rule of ours matches them, and most member names and many values are such. */
const PLAIN_WORD = /^\w{0,12}$/;
const SCHEME = /^(?:bearer|basic|digest|token|apikey) +/i;

export function createRedactor(options: RedactorOptions): Redactor {
  const engine = new RedactionEngine(options);
  const text = (value: string): string => engine.total(value, () => engine.text(value, 0));
  const json = (value: JsonValue): JsonValue =>
    engine.total(value, () => engine.value(value, { name: undefined, depth: 0, nested: 0 }));
  return Object.freeze({
    text,
    json,
    redactText: (value: string) => changeOf(value, text(value)),
    redactJson: (value: JsonValue) => changeOf(value, json(value)),
  });
}

/** `json()` and `text()` give back the very same value when nothing had to change. */
const changeOf = <T>(before: T, after: T): Redaction<T> => ({ value: after, changed: after !== before });

interface Place {
  readonly name: string | undefined;
  readonly depth: number;
  readonly nested: number;
}

class RedactionEngine {
  readonly #pseudonym: ReturnType<typeof createPseudonym>;
  readonly #rules: readonly RedactionRule[];
  readonly #extraNames: ReadonlySet<string>;
  readonly #hasOwnPatterns: boolean;

  constructor({ key, extraPatterns = [], extraKeys = [] }: RedactorOptions) {
    this.#pseudonym = createPseudonym(key);
    this.#extraNames = new Set(extraKeys.map(bareName));
    this.#hasOwnPatterns = extraPatterns.length > 0;
    const plain = [
      ...contextRules(this.#extraNames),
      ...TOKEN_RULES,
      ...extraPatterns.map((pattern) => patternRule("custom", globalForm(pattern))),
    ];
    const encodedTwice = base64Rule((decoded) => plain.some((rule) => rule(decoded).length > 0));
    const encoded = base64Rule((decoded) => [...plain, encodedTwice].some((rule) => rule(decoded).length > 0));
    const percentTwice = percentRule([...plain, encoded]);
    this.#rules = [...plain, encoded, percentRule([...plain, encoded, percentTwice])];
  }

  /** Runs `redact`; when it fails the value is withheld, never leaked. */
  total<T extends JsonValue>(value: T, redact: () => T): T | string {
    try {
      return redact();
    } catch {
      return this.#pseudonym("withheld", typeof value === "string" ? value : "");
    }
  }

  text(value: string, nested: number): string {
    const inner = nested < MAX_NESTED_TEXTS && /^\s*[{[]/.test(value) ? parseJson(value) : undefined;
    if (inner === undefined) return this.#plainText(value);
    return rewriteJsonText(value, {
      string: (member, name) => this.#string(member, name, nested + 1),
      number: (raw, name) => this.#number(raw, name),
    });
  }

  value(value: JsonValue, place: Place): JsonValue {
    if (typeof value === "string") return this.#string(value, place.name, place.nested);
    if (typeof value === "number") return this.#number(String(value), place.name) ?? value;
    if (value === null || typeof value !== "object") return value;
    if (place.depth >= MAX_JSON_DEPTH) return this.#pseudonym("withheld", "");
    const inside = { ...place, depth: place.depth + 1 };
    return Array.isArray(value) ? this.#list(value, inside) : this.#object(value as Members, inside);
  }

  #list(list: readonly JsonValue[], place: Place): JsonValue {
    // A pair of header name and value, as `Object.entries(headers)` gives it.
    const [first, second] = list;
    const header = list.length === 2 && typeof first === "string" && isSecretHeader(first) ? first : undefined;
    let changed = false;
    const redacted = list.map((item, i) => {
      const named = i === 1 && header !== undefined && item === second ? { ...place, name: header } : place;
      const after = this.value(item, named);
      if (after !== item) changed = true;
      return after;
    });
    return changed ? redacted : list;
  }

  #object(object: Members, place: Place): JsonValue {
    const label = labelOf(object);
    let changed = false;
    const members = Object.entries(object).map(([name, member]): [string, JsonValue] => {
      const written = this.#string(name, undefined, place.nested);
      const after = this.value(member, { ...place, name: name === "value" && label !== undefined ? label : name });
      if (written !== name || after !== member) changed = true;
      return [written, after];
    });
    // `fromEntries` defines members, so that `__proto__` stays an ordinary name.
    return changed ? Object.fromEntries(members) : object;
  }

  #string(value: string, name: string | undefined, nested: number): string {
    if (name === undefined || value === "" || !isSecretName(name, this.#extraNames)) return this.text(value, nested);
    if (isPseudonym(value)) return value;
    const scheme = SCHEME.exec(value)?.[0] ?? "";
    const secret = value.slice(scheme.length);
    return isPseudonym(secret) ? value : scheme + this.#pseudonym(this.#ownKind("secret", secret), secret);
  }

  /** A number cannot hold a pseudonym: it becomes text, of a kind that no text has. */
  #number(raw: string, name: string | undefined): string | undefined {
    if (name !== undefined && isSecretName(name, this.#extraNames)) return this.#pseudonym("secret_number", raw);
    return isCardNumber(raw) ? this.#pseudonym("card_number", raw) : undefined;
  }

  /** What is a secret by itself keeps its own kind, so that it has one pseudonym in every context. */
  #ownKind(found: string, secret: string): string {
    if (found !== "secret") return found;
    for (const rule of TOKEN_RULES) {
      const [span, ...others] = rule(secret);
      if (span !== undefined && others.length === 0 && span.start === 0 && span.end === secret.length) return span.kind;
    }
    return found;
  }

  #plainText(text: string): string {
    if (!this.#hasOwnPatterns && PLAIN_WORD.test(text)) return text;
    let current = text;
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const next = this.#rules.reduce((parts, rule) => this.#apply(parts, rule), splitAtPseudonyms(current)).join("");
      if (next === current) break;
      current = next;
    }
    return current;
  }

  /** `parts` has plain text at even places and pseudonyms at odd ones; so has the result. */
  #apply(parts: string[], rule: RedactionRule): string[] {
    const next: string[] = [];
    parts.forEach((part, i) => {
      if (i % 2 === 1) return next.push(part);
      let from = 0;
      for (const { kind, start, end } of rule(part)) {
        const secret = part.slice(start, end);
        next.push(part.slice(from, start), this.#pseudonym(this.#ownKind(kind, secret), secret));
        from = end;
      }
      return next.push(part.slice(from));
    });
    return next;
  }
}

type Members = { readonly [name: string]: JsonValue };

/** `{name: "authorization", value: …}`: lists of headers, cookies and variables are often written so. */
function labelOf(object: Members): string | undefined {
  const label = object["name"] ?? object["key"];
  return typeof label === "string" && isSecretName(label) ? label : undefined;
}

const globalForm = (pattern: RegExp): RegExp =>
  pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`);
