import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../capture/redactor.ts";
import { answerJson, redactedHeader } from "./answer-json.ts";
import { chunkBytes, type RecordedAnswer } from "./recorded-answer.ts";
import type { HeaderList } from "./request-json.ts";

const redactor = createRedactor({ key: "k" });

function recorded(parts: readonly Buffer[], headers: HeaderList = []): RecordedAnswer {
  const chunks = parts.map((bytes, index) => ({ offsetMillis: index, bytes }));
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const head = { status: 200, statusText: "OK", headers, offsetMillis: 0 };
  const body = { kept: true, size, chunks } as const;
  return answerJson({ head, body, end: "complete", endedMillis: 1 }, redactor) as unknown as RecordedAnswer;
}

const bodyOf = (answer: RecordedAnswer): Buffer => Buffer.concat(answer.chunks.map(chunkBytes));
const cutAt = (whole: Buffer, ...cuts: number[]): Buffer[] =>
  [0, ...cuts].map((cut, index) => whole.subarray(cut, cuts[index] ?? whole.length));

/** Of words and of characters of several bytes, which chunks may come to cut anywhere. */
const harmlessByte = fc.constantFrom(0x00, 0x0a, 0x20, 0x61, 0x7a, 0xc3, 0xbc, 0xf0, 0x9f, 0xa6, 0xff);

describe("a recorded body", () => {
  it("is kept byte for byte in its chunks when it holds no secret", () => {
    fc.assert(
      fc.property(fc.array(fc.array(harmlessByte, { maxLength: 12 }), { maxLength: 6 }), (parts) => {
        const answer = recorded(parts.map((part) => Buffer.from(part)));
        expect(answer.chunks.map((chunk) => chunkBytes(chunk).toString("hex"))).toEqual(
          parts.map((part) => Buffer.from(part).toString("hex")),
        );
      }),
    );
  });

  it("loses a secret wherever the chunks are cut, and has as many chunks as before", () => {
    const whole = Buffer.from('data: {"to":"alice@example.org","n":1}\n\ndata: ü\n\n');
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 5 }), (places) => {
        const cuts = places.toSorted((a, b) => a - b);
        const answer = recorded(cutAt(whole, ...cuts));
        const text = bodyOf(answer).toString("utf8");
        expect(text).toMatch(/^data: \{"to":"\[redacted:email:[0-9a-f]{12}\]","n":1\}\n\ndata: ü\n\n$/);
        expect(answer.chunks.length).toBe(cuts.length + 1);
      }),
    );
  });

  it("is cut at the same places outside of secrets", () => {
    const whole = Buffer.from("before alice@example.org after");
    const answer = recorded(cutAt(whole, 3, 12, whole.indexOf(" after") + 3));
    const texts = answer.chunks.map((chunk) => chunkBytes(chunk).toString());
    expect(texts[0]).toBe("bef");
    expect(texts[1]).toMatch(/^ore \[redacted:email:[0-9a-f]{12}\]$/);
    expect(texts.slice(2)).toEqual([" af", "ter"]);
  });

  it("is looked into through its content codings, and coded again when it had to change", () => {
    const secret = Buffer.from(JSON.stringify({ password: "hunter2-hunter2", rest: "x".repeat(50) }));
    const answer = recorded(cutAt(gzipSync(secret), 20), [
      ["Content-Encoding", "gzip"],
      ["Content-Length", "99"],
    ]);
    const plain = gunzipSync(bodyOf(answer)).toString();
    expect(plain).toMatch(/^\{"password":"\[redacted:[a-z]+:[0-9a-f]{12}\]","rest":"x{50}"\}$/);
    expect(answer.chunks.length).toBe(2);
    expect(answer.headers).toContainEqual(["Content-Length", String(bodyOf(answer).length)]);
    const harmless = brotliCompressSync('{"rest":"x"}');
    expect(bodyOf(recorded([harmless], [["content-encoding", "br"]]))).toEqual(harmless);
  });

  it("is looked into as far as it came when it was cut", () => {
    const random = Array.from({ length: 400 }, (_, index) => (index * 7919) % 1000).join(" ");
    const cut = gzipSync(`to alice@example.org ${random}`).subarray(0, 300);
    const plain = gunzipSync(bodyOf(recorded([cut], [["content-encoding", "gzip"]]))).toString();
    expect(plain).toMatch(/^to \[redacted:email/);
  });

  it("is withheld when it cannot be looked into", () => {
    expect(recorded([Buffer.from("what")], [["content-encoding", "secret-sauce"]])).toBeUndefined();
    expect(recorded([Buffer.from("no gzip")], [["content-encoding", "gzip"]])).toBeUndefined();
  });

  it("loses a secret in bytes that are no text", () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0x00, 0x20]),
      Buffer.from("alice@example.org"),
      Buffer.from([0x20, 0xfe]),
    ]);
    const body = bodyOf(recorded(cutAt(bytes, 9)));
    expect(body.includes("alice@example.org")).toBe(false);
    expect(body.subarray(0, 3)).toEqual(bytes.subarray(0, 3));
    expect(body.subarray(-1)).toEqual(bytes.subarray(-1));
  });
});

describe("a recorded stream of a model", () => {
  const piece = (text: string, index = 0): string =>
    `data: ${JSON.stringify({ id: "c-1", choices: [{ index, delta: { content: text } }] })}\n\n`;
  const said = (answer: RecordedAnswer, index = 0): string[] =>
    [
      ...bodyOf(answer)
        .toString()
        .matchAll(/^data: (\{.*)$/gm),
    ]
      .map((match) => JSON.parse(match[1] ?? "") as { choices: { index: number; delta: { content: string } }[] })
      .flatMap(({ choices }) => choices.filter((one) => one.index === index).map((one) => one.delta.content));

  it("loses a secret that was said in pieces, and has as many pieces as before", () => {
    const stream = [piece("to ali"), piece("ce@exa"), piece("mple.org"), piece(", hello"), "data: [DONE]\n\n"];
    const answer = recorded([Buffer.from(stream.join(""))]);
    const pieces = said(answer);
    expect(pieces.join("")).toMatch(/^to \[redacted:email:[0-9a-f]{12}\], hello$/);
    expect(pieces.length).toBe(4);
    expect(pieces.at(-1)).toBe(", hello");
    expect(bodyOf(answer).toString()).toContain("data: [DONE]");
  });

  it("keeps apart what was said side by side, and every byte of what holds no secret", () => {
    const stream = piece("alice@", 0) + piece("and", 1) + piece(" otters", 0) + piece("example.org", 1);
    expect(bodyOf(recorded([Buffer.from(stream)])).toString()).toBe(stream);
  });
});

describe("a recorded header", () => {
  it("keeps the name and the attributes of a cookie, and not its value", () => {
    const written = redactedHeader("Set-Cookie", "sid=0123456789abcdef; Path=/; HttpOnly", redactor);
    expect(written).toMatch(/^sid=\[redacted:[a-z]+:[0-9a-f]{12}\]; Path=\/; HttpOnly$/);
    expect(redactedHeader("Set-Cookie", written, redactor)).toBe(written);
  });

  it.each(["x-api-key", "Authorization", "X-Auth-Token"])("has no value when it is %s", (name) => {
    expect(redactedHeader(name, "plain-words-only", redactor)).toMatch(/^\[redacted:/);
  });

  it.each(["etag", "x-request-id", "x-ratelimit-remaining-tokens", "retry-after", "location"])(
    "stays when it is %s",
    (name) => {
      expect(redactedHeader(name, "12", redactor)).toBe("12");
    },
  );
});
