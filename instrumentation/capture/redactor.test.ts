import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../json/json.ts";
import { createRedactor } from "./redactor.ts";
import { PLANTED_SECRETS } from "./testing/planted-secrets.ts";

const redactor = createRedactor({ key: "a test key" });
const { text, json } = redactor;

/** Words as runs meet them: plain ones, secrets, and things that look like secrets. */
const word = fc.oneof(
  fc.constantFrom(...PLANTED_SECRETS.map((secret) => secret.raw)),
  fc.constantFrom(
    "order",
    "credit_card_1234567",
    "1763715054000",
    "Bearer",
    "token",
    "a@b",
    "hello",
    "résumé",
    "42",
    "{",
    "{}",
  ),
  fc.string({ unit: "grapheme-ascii", maxLength: 12 }),
  fc.emailAddress(),
);
const sentence = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
const leaf = fc.oneof(
  sentence,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  sentence.map((s) => JSON.stringify({ s })),
);
const { value: tree } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom("password", "token", "note", "__proto__", "value", "name"), word),
      tie("value"),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
}));

describe("planted secrets", () => {
  const places: Record<string, (secret: string) => JsonValue> = {
    "a text": (s) => `before ${s} after`,
    "its own line": (s) => `line one\n${s}\nline three`,
    quotes: (s) => `the value is '${s}', "${s}" or \`${s}\``,
    "a member": (s) => ({ note: s }),
    "a list": (s) => [1, [s]],
    "JSON text": (s) => JSON.stringify({ note: s }),
    "JSON text in JSON text": (s) => JSON.stringify({ a: JSON.stringify([s], null, 2) }),
    "JSON text in a log line": (s) => `got ${JSON.stringify({ note: s })} from upstream`,
    base64: (s) => Buffer.from(`x ${s} y`).toString("base64"),
    "base64 of base64": (s) => Buffer.from(Buffer.from(`x ${s} y`).toString("base64")).toString("base64url"),
    "a URL": (s) => `https://api.example/search?n=1&q=${encodeURIComponent(s)}#top`,
    "a URL in a URL": (s) => `https://a.example/?next=${encodeURIComponent(`/b?q=${encodeURIComponent(s)}`)}`,
    "a form": (s) => new URLSearchParams({ a: "b c", note: s }).toString(),
    "a stack trace": (s) => `Error: no access with ${s}\n    at login (file:///app/login.js:1:2)`,
    "an SSE line": (s) => `data: ${JSON.stringify({ delta: s })}\n\n`,
    "a member name": (s) => ({ [s]: 1 }),
  };

  it.each(Object.keys(places))("never appear raw when they stand in %s", (place) => {
    for (const { kind, text: planted, raw } of PLANTED_SECRETS) {
      const out = JSON.stringify(json(places[place]?.(planted) ?? null));
      const decoded = out.replace(/[\w+/-]{16,}={0,2}/g, (part) => Buffer.from(part, "base64").toString());
      const forms = [raw, encodeURIComponent(raw), new URLSearchParams([["", raw]]).toString().slice(1)];
      for (const seen of [out, decoded])
        for (const form of forms)
          expect(seen.includes(JSON.stringify(form).slice(1, -1)), `${kind}: ${out}`).toBe(false);
      expect(out, kind).toContain("[redacted:");
    }
  });

  it.each([
    "password",
    "db_password",
    "apiKey",
    "X-Api-Key",
    "Set-Cookie",
    "clientSecret",
    "PRIVATE_KEY",
    "session",
    "token",
  ])("go whole under the name %s, text and number alike", (name) => {
    const out = JSON.stringify(json({ [name]: "plain words", deep: [{ [name]: 907_133 }] }));
    expect(out).not.toMatch(/plain words|907133/);
  });

  it("go in headers that are written as pairs", () => {
    const out = JSON.stringify(json([["authorization", "opaque"], { name: "Cookie", value: "opaque" }]));
    expect(out).not.toContain("opaque");
  });

  it("are taken to the end when a private key was cut off", () => {
    expect(text("key: -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg")).not.toContain("MIIEvQ");
  });

  it("are found under every name that is searched for in text", () => {
    const names = [
      "PASSWORD",
      "db.passwd",
      "jwt",
      "otp",
      "cvv2",
      "ssn",
      "sid",
      "JSESSIONID",
      "connection_string",
      "X-Amz-Signature",
    ];
    for (const name of [...names, "sas", "pan", "iban", "auth", "credentials", "passcode", "signing_key"]) {
      expect(text(`a ${name}="zq 8x7" b`), name).toMatch(/^a \S+="\[redacted:secret:[0-9a-f]{12}\]" b$/);
    }
  });

  it("can be named by the user", () => {
    const own = createRedactor({ key: "k", extraPatterns: [/EMP-\d{4}/], extraKeys: ["badge number"] });
    expect(own.text("EMP-1234 and EMP-9")).toMatch(/^\[redacted:custom:[0-9a-f]{12}\] and EMP-9$/);
    expect(own.json({ badgeNumber: "7" })).toEqual({ badgeNumber: expect.stringMatching(/^\[redacted:secret:/) });
  });
});

describe("harmless text", () => {
  it.each([
    "paid with credit_card_1234567 at 1763715054000",
    "order 4000123412341235 shipped", // 16 digits of a card network, fails Luhn
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "550e8400-e29b-41d4-a716-446655440000",
    "1763715054000123456 nanoseconds",
    "max_tokens: 4096, total_tokens=120, next_page_token=abc123",
    "the bearer certificates and basic authentication were discussed",
    "Secret: nobody knows. Password: required",
    "logo@2x.png, git@github.com:org/repo.git, @opentelemetry/api@1.10.0",
    "https://example.org/a/b?page=2&sort=name",
    "https://example.org/search?q=caf%C3%A9+au+lait%20100%25&from=2026-01-02T03%3A04%3A05%2B00%3A00",
    "100%+20%+4%, 3+4+5+6=18, 50%off",
    "a task-list of disk-usage and risk-assessment-results-for-everyone",
    "call 555-1234 or +1 415 555 2671",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "/usr/local/lib/node_modules/some-package/dist/index.js",
    JSON.stringify({ usage: { input_tokens: 12 }, tokenizer: "o200k", keyboard: "de" }, null, 2),
  ])("stays as it is: %s", (harmless) => {
    expect(text(harmless)).toBe(harmless);
  });

  it("is hit in at most 1 % of 10,000 values", () => {
    const harmless = fc.oneof(
      fc.lorem({ maxCount: 12 }),
      fc.uuid(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.integer().map(String),
      fc.double().map(String),
      fc.webPath(),
      fc.stringMatching(/^[a-z]+_[0-9]{5,12}$/),
      fc.base64String({ minLength: 16, maxLength: 64 }),
      fc.stringMatching(/^[0-9a-f]{32,64}$/),
      fc.string({ unit: "grapheme" }),
    );
    const values = fc.sample(harmless, { numRuns: 10_000, seed: 7 });
    const hits = values.filter((value) => text(value) !== value);
    expect(hits.length, hits.slice(0, 20).join("\n")).toBeLessThanOrEqual(100);
  });
});

describe("verdicts", () => {
  it("stay: redacted values are equal exactly when the values are", () => {
    fc.assert(
      fc.property(tree, tree, fc.boolean(), (a, other, same) => {
        const b = same ? structuredClone(a) : other;
        expect(isDeepStrictEqual(json(a), json(b))).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 1_500 },
    );
  });

  it("stay: a planted word is still contained", () => {
    fc.assert(
      fc.property(sentence, word, sentence, fc.constantFrom(" ", "\n", ", "), (before, planted, after, gap) => {
        fc.pre(
          planted.trim() === planted &&
            !/[=:'"\\{[]/.test(before + planted) &&
            !/--|(?:token|bearer)\s*$/i.test(before),
        );
        expect(text(`${before}${gap}${planted}${gap}${after}`)).toContain(text(planted));
      }),
      { numRuns: 1_500 },
    );
  });

  it("stay: an address is found whatever its letter case, and told apart when case counts", () => {
    const [lower, upper] = [text("alice@example.org"), text("Alice@Example.org")];
    expect(upper).not.toBe(lower);
    expect(upper.toLowerCase()).toBe(lower);
  });

  it("stay: a secret has one pseudonym wherever it stands", () => {
    const secret = `ghp_${"a1B2c3D4".repeat(5)}`;
    const bare = text(secret);
    expect(text(`Authorization: Bearer ${secret}`)).toBe(`Authorization: Bearer ${bare}`);
    expect(text(`https://x.example/?access_token=${secret}`)).toBe(`https://x.example/?access_token=${bare}`);
    expect(json({ password: secret, authorization: `Bearer ${secret}` })).toEqual({
      password: bare,
      authorization: `Bearer ${bare}`,
    });
  });

  it("stay: JSON text that differs in white space only still differs", () => {
    const [tight, loose] = ['{"email":"a@example.org"}', '{ "email": "a@example.org" }'].map(text);
    expect(tight).not.toBe(loose);
    expect(loose).toMatch(/^\{ "email": "\[redacted:email:[0-9a-f]{12}\]" \}$/);
  });
});

describe("a redactor", () => {
  it("is idempotent", () => {
    fc.assert(
      fc.property(tree, sentence, (value, line) => {
        expect(json(json(value))).toEqual(json(value));
        expect(text(text(line))).toBe(text(line));
      }),
      { numRuns: 1_500 },
    );
  });

  it("gives other pseudonyms under another key, and the same under the same", () => {
    const address = "alice@example.org";
    expect(createRedactor({ key: "other" }).text(address)).not.toBe(text(address));
    expect(createRedactor({ key: "a test key" }).text(address)).toBe(text(address));
  });

  it("says whether it changed something and returns unchanged values as they are", () => {
    const value = { a: [1, "x"] };
    expect(redactor.redactJson(value)).toEqual({ value, changed: false });
    expect(json(value)).toBe(value);
    expect(redactor.redactText("a@example.org").changed).toBe(true);
  });

  it("keeps __proto__ an ordinary member and the prototype clean", () => {
    const out = json(JSON.parse('{"__proto__":{"password":"x1y2"},"k":"a@example.org"}') as JsonValue);
    expect(Object.getOwnPropertyNames(out)).toContain("__proto__");
    expect(JSON.stringify(out)).not.toContain("x1y2");
    expect(({} as Record<string, unknown>)["password"]).toBeUndefined();
  });

  it("withholds a value on which it fails", () => {
    const failing = createRedactor({ key: "k", extraPatterns: [/x/] });
    const hostile = {
      get note(): string {
        throw new Error("no");
      },
    };
    expect(failing.json(hostile)).toMatch(/^\[redacted:withheld:/);
  });

  it.each([
    ...[
      "a.",
      "a-",
      "eyJ",
      "sk-",
      "sk-a",
      "-----BEGIN PRIVATE KEY-----",
      "password=",
      "1 ",
      "11 ",
      "4111 ",
      "a@",
      "a:a://",
    ],
    ...[
      "x@a.",
      "Bearer ",
      "DE89 ",
      "QUJD",
      "[redacted:",
      '{"a":',
      "cookie: a=",
      "token: ",
      "--pass ",
      '"',
      "\\",
      "[[",
      "a%40",
    ],
    ...["%20", "a%3Db%26", "+", "password%3D", "4111+", "%", "%25", "Bearer%20", "%7B%22"],
    ...["https://a", "https://a:", "é@", "set-cookie:", 'secret="'],
  ])("takes time linear in 1 MiB of %j", (piece) => {
    const hostile = piece.repeat(Math.floor(1_048_576 / piece.length));
    const start = performance.now();
    text(hostile);
    json([hostile]);
    expect(performance.now() - start).toBeLessThan(30_000); // Quadratic time would take hours.
  });
});
