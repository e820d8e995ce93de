import { describe, expect, it } from "vitest";
import { textFromAnyValue } from "./any-value-text.ts";
import type { AnyValue } from "./model.ts";
import { attribute, stringValue } from "./testing/model-builders.ts";

const double = (value: number): AnyValue => ({ type: "doubleValue", value });
const array = (...value: AnyValue[]): AnyValue => ({ type: "arrayValue", value });
const map = (...value: ReturnType<typeof attribute>[]): AnyValue => ({ type: "kvlistValue", value });

/** Expected texts are what `pcommon.Value.AsString()` returns. */
describe("textFromAnyValue", () => {
  it.each<[string, AnyValue, string]>([
    ["empty", { type: "empty" }, ""],
    ["text", stringValue("<a> & b"), "<a> & b"],
    ["true", { type: "boolValue", value: true }, "true"],
    ["false", { type: "boolValue", value: false }, "false"],
    ["an integer", { type: "intValue", value: -9_223_372_036_854_775_808n }, "-9223372036854775808"],
    ["an integral double", double(5), "5"],
    ["a double", double(0.1), "0.1"],
    ["negative zero", double(-0), "-0"],
    ["the largest double in plain digits", double(999999999999999900000), "999999999999999900000"],
    ["the first double with an exponent", double(1e21), "1e+21"],
    ["a small double in plain digits", double(0.000001), "0.000001"],
    ["a smaller double with a short exponent", double(1e-7), "1e-7"],
    ["NaN", double(Number.NaN), "json: unsupported value: NaN"],
    ["infinity", double(Number.POSITIVE_INFINITY), "json: unsupported value: +Inf"],
    ["bytes", { type: "bytesValue", value: Uint8Array.of(0, 255, 1) }, "AP8B"],
    ["no bytes", { type: "bytesValue", value: new Uint8Array() }, ""],
    ["an empty array", array(), "[]"],
    ["an empty map", map(), "{}"],
  ])("writes %s", (_name, value, text) => {
    expect(textFromAnyValue(value)).toBe(text);
  });

  it("writes arrays and maps as JSON with sorted keys, exact integers and no HTML escapes", () => {
    const value = map(
      attribute("b", array(stringValue("<x>"), { type: "empty" }, { type: "boolValue", value: true }, double(1.5))),
      attribute("a", { type: "intValue", value: 9_007_199_254_740_993n }),
      attribute("c", map(attribute("k", { type: "bytesValue", value: Uint8Array.of(255) }))),
    );
    expect(textFromAnyValue(value)).toBe('{"a":9007199254740993,"b":["<x>",null,true,1.5],"c":{"k":"/w=="}}');
  });

  it("keeps the last of two equal keys and `__proto__` as a key", () => {
    const value = map(attribute("k", "first"), attribute("__proto__", "p"), attribute("k", "last"));
    expect(textFromAnyValue(value)).toBe('{"__proto__":"p","k":"last"}');
  });

  it("escapes control characters and line separators as Go does", () => {
    expect(textFromAnyValue(array(stringValue('"\\\n\0\u2028')))).toBe('["\\"\\\\\\n\\u0000\\u2028"]');
  });

  it("keeps what stands beside a NaN, where the Collector stores nothing", () => {
    expect(textFromAnyValue(array(stringValue("kept"), double(Number.NaN)))).toBe('["kept","NaN"]');
  });
});
