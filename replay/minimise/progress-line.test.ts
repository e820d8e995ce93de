import { describe, expect, test } from "vitest";
import { createProgressDisplay, progressLine } from "./progress-line.ts";

const at = (bytes: number) => ({ bytesBefore: 1_000, bytes, interactionsBefore: 8, interactions: 2, candidates: 31 });

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: unknown) => written.push(String(text)) > 0 } as never };
}

describe("the progress of a minimisation", () => {
  test("says how much is gone, in figures and as a bar", () => {
    expect(progressLine(at(250), 4.2)).toBe(
      "[##################------] 75.0 % cut, 250 of 1000 bytes, 2 of 8 calls, 31 candidates, 4 s",
    );
    expect(progressLine({ ...at(0), bytesBefore: 0 }, 0)).toContain(" 0.0 % cut");
  });

  test("redraws one line on a terminal, cut to its width, and takes it off", () => {
    const { written, stream } = terminal(true);
    let now = 0;
    const display = createProgressDisplay(stream, () => now);
    display.show(at(900));
    now = 50;
    display.show(at(800));
    now = 200;
    display.show(at(700));
    display.clear();
    expect(written).toHaveLength(3);
    expect(written.every((text) => text.startsWith("\r\u001B[2K") && !text.includes("\n"))).toBe(true);
    expect(written[1]?.length).toBe("\r\u001B[2K".length + 39);
    expect(written[2]).toBe("\r\u001B[2K");
  });

  test("writes a whole line now and then elsewhere", () => {
    const { written, stream } = terminal(false);
    let now = 0;
    const display = createProgressDisplay(stream, () => now);
    for (; now < 11_000; now += 1_000) display.show(at(500));
    display.clear();
    expect(written).toHaveLength(3);
    expect(written.every((text) => text.endsWith("s\n") && !text.includes("\u001B"))).toBe(true);
  });
});
