import { describe, expect, it } from "vitest";
import { scanJson } from "./json-scan.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from "./limits.ts";

const scan = (text: string) => scanJson(Buffer.from(text));

describe("scanJson", () => {
  it("accepts nesting to the limit and refuses one level more, at its offset", () => {
    expect(scan("[".repeat(MAX_JSON_DEPTH))).toEqual({ hasLongIntegers: false });
    expect(() => scan("[".repeat(MAX_JSON_DEPTH + 1))).toThrow(
      expect.objectContaining({ code: "too_deep", byteOffset: MAX_JSON_DEPTH }),
    );
  });

  it("counts braces and brackets alike", () => {
    expect(() => scan('{"a":['.repeat(MAX_JSON_DEPTH / 2 + 1))).toThrow(expect.objectContaining({ code: "too_deep" }));
  });

  it("does not count what is inside a string, also after escaped quotes", () => {
    expect(scan(`"\\"${"[".repeat(500)}\\\\"`)).toEqual({ hasLongIntegers: false });
    expect(() => scan(`"\\\\"${"[".repeat(500)}`)).toThrow(expect.objectContaining({ code: "too_deep" }));
  });

  it("goes back up when containers close", () => {
    expect(scan("[]{}".repeat(1_000))).toEqual({ hasLongIntegers: false });
  });

  it("leaves a string without an end to the parser", () => {
    expect(scan('{"a')).toEqual({ hasLongIntegers: false });
    expect(scan('{"a\\')).toEqual({ hasLongIntegers: false });
  });

  it.each([
    ["[123456789012345]", false],
    ["[1234567890123456]", true],
    ['["1234567890123456789"]', false],
    ["[0.1234567890123456]", true],
  ])("tells whether %s may hold a number too long for a double", (text, hasLongIntegers) => {
    expect(scan(text)).toEqual({ hasLongIntegers });
  });

  it("refuses more values than fit the memory of one request", () => {
    expect(() => scanJson(Buffer.alloc(MAX_JSON_VALUES + 1, ","))).toThrow(
      expect.objectContaining({ code: "too_many" }),
    );
  });

  it("refuses five million levels without building them", () => {
    const body = Buffer.alloc(5_000_000, "[");
    const start = performance.now();
    expect(() => scanJson(body)).toThrow(expect.objectContaining({ code: "too_deep" }));
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
