import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { safeJson, safeLine, safeText } from "./safe-text.ts";

const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));

describe("text from spans", () => {
  test.each([
    ["colours", "\u001b[31mred\u001b[0m", "red"],
    ["a window title", "\u001b]0;owned\u0007text", "text"],
    ["a hyperlink", "\u001b]8;;http://x\u001b\\here\u001b]8;;\u001b\\", "here"],
    ["a cursor that moves up", "\u001b[2A\u001b[2Kgone", "gone"],
    ["a C1 escape", "a\u009b31mb", "a 31mb"],
    ["a carriage return", "failed\rpassed", "failed passed"],
    ["reversed direction", "user\u202etxt.exe", "user txt.exe"],
    ["hidden characters", "pass\u200bed\ufeff", "pass ed "],
  ])("loses %s", (_, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });

  test("keeps letters of every language, emoji and line ends", () => {
    expect(safeText("größe 大 🦦\nשלום")).toBe("größe 大 🦦\nשלום");
  });

  test("never holds a control character, whatever comes", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        // oxlint-disable-next-line no-control-regex -- that is what this is about
        expect(safeText(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test("fits one line", () => {
    expect(safeLine("a\nb", 10)).toBe("a b");
    expect(safeLine("x".repeat(20), 10)).toBe(`${"x".repeat(9)}…`);
  });

  test("in JSON parses to the very same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(safeJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(safeJson("\u009b\u202e")).toBe('"\\u009b\\u202e"\n');
  });
});
