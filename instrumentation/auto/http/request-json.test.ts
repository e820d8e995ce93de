import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../capture/redactor.ts";
import type { JsonObject } from "../../json/json.ts";
import { requestJson, type HeaderList } from "./request-json.ts";

const redactor = createRedactor({ key: "k" });

function asked(body: string | Buffer, headers: HeaderList = []): JsonObject {
  const bytes = Buffer.from(body);
  const chunks = bytes.length === 0 ? [] : [{ offsetMillis: 0, bytes }];
  const kept = { kept: true, size: bytes.length, chunks } as const;
  return requestJson({ method: "POST", url: "http://api/x", headers, body: kept }, redactor);
}

describe("a recorded request", () => {
  it("holds no header that is not on the list, and none that carries a credential", () => {
    const headers: HeaderList = [
      ["authorization", "Bearer abc"],
      ["cookie", "a=b"],
      ["x-api-key", "k"],
      ["traceparent", "00-1"],
      ["user-agent", "x"],
      ["content-type", "text/plain"],
      ["accept", "a/b"],
      ["accept", "c/d"],
    ];
    expect(asked("", headers)).toEqual({
      method: "POST",
      url: "http://api/x",
      headers: { "content-type": "text/plain", accept: "a/b, c/d" },
    });
  });

  it.each<[string, string | Buffer, HeaderList, unknown]>([
    ["JSON as JSON", '{"b":1,"a":[2]}', [], { json: { a: [2], b: 1 } }],
    ["null as JSON that is text", "null", [], { text: "null" }],
    ["text as text", "a=1&b=2", [], { text: "a=1&b=2" }],
    ["broken JSON as text", '{"a":', [], { text: '{"a":' }],
    ["bytes in base64", Buffer.from([255, 0]), [], { base64: "/wA=" }],
    ["a compressed body unpacked", gzipSync('{"a":1}'), [["content-encoding", "gzip"]], { json: { a: 1 } }],
  ])("has %s", (_name, body, headers, expected) => {
    expect(asked(body, headers)["body"]).toEqual(expected);
  });

  it("is the same for two multipart bodies that differ in their boundary", () => {
    const form = (boundary: string): JsonObject =>
      asked(`--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${boundary}--\r\n`, [
        ["content-type", `multipart/form-data; boundary=${boundary}`],
      ]);
    expect(form("----formdata-0123456789")).toEqual(form("----formdata-9876543210"));
    expect(JSON.stringify(form("----formdata-0123456789"))).not.toContain("0123456789");
  });

  it("names a body that was too large by its hash", () => {
    const body = { kept: false, size: 5, sha256: "ab" } as const;
    expect(requestJson({ method: "PUT", url: "u", headers: [], body }, redactor)["body"]).toEqual({
      bytes: 5,
      sha256: "ab",
    });
  });
});
