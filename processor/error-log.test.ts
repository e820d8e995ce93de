import { describe, expect, it } from "vitest";
import { createErrorLog } from "./error-log.ts";

describe("a log of errors", () => {
  it("says the same thing once in a while, and how often it came", () => {
    const lines: string[] = [];
    let clock = 0;
    const report = createErrorLog(
      (line) => lines.push(line),
      () => clock,
    );
    for (clock = 0; clock < 65_000; clock += 500) {
      report("storing", new Error("refused"));
      if (clock === 10_000) report("scanning", new Error("refused"));
    }
    expect(lines).toEqual([
      "storing failed: refused",
      "scanning failed: refused",
      "storing failed: refused (and 59 times before)",
      "storing failed: refused (and 59 times before)",
    ]);
  });

  it("does not grow with messages that never repeat", () => {
    const lines: string[] = [];
    const report = createErrorLog((line) => lines.push(line));
    for (let index = 0; index < 3_000; index++) report("reading", `part ${index}`);
    expect(new Set(lines).size).toBe(3_000);
  });
});
