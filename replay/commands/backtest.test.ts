import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMPTY_TALLY } from "../../processor/backtest/tally.ts";
import { backtest, type BacktestFlags } from "./backtest.ts";
import { createBacktestProgress } from "./backtest-progress.ts";
import type { CommandContext } from "./context.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-backtest-"));
  await writeFile(join(folder, "contract.json"), '{"agent": "booker"}');
});
afterAll(async () => rm(folder, { recursive: true }));

describe("the flags of a back-test", () => {
  it.each<[string, Partial<BacktestFlags>]>([
    ["--limit must be 1 to 10000", { limit: "0" }],
    ["--limit must be 1 to 10000", { limit: "1e3" }],
    ["--concurrency must be 1 to 64", { concurrency: "65" }],
    ["--since yesterday", { since: "yesterday" }],
    ["--type must be one of live, replay, canary", { type: "all" }],
    ["take one", { json: true, stream: true }],
    ["--contract other.json cannot be read", { contract: "other.json" }],
  ])("are refused before anything is asked of a store: %s", async (reason, flags) => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    const context: CommandContext = {
      env: {},
      cwd: folder,
      stdout: stream,
      stderr: stream,
      signal: new AbortController().signal,
    };
    const given = { contract: "contract.json", since: "30d", type: "live", ...flags };
    await expect(backtest(given, context)).rejects.toMatchObject({
      code: "RUNPROOF_USAGE",
      message: expect.stringContaining(reason),
    });
  });
});

describe("the progress of a back-test", () => {
  const shown = (isTTY: boolean) => {
    let text = "";
    let now = 0;
    const stream = { isTTY, columns: 60, write: (part: string) => Boolean((text += part)) };
    const display = createBacktestProgress(stream, () => now);
    const at = (millis: number, runs: number) => {
      now = millis;
      display.show({ tally: { ...EMPTY_TALLY, runs }, share: 0.5 });
    };
    at(1_000, 500);
    at(1_050, 600);
    at(2_000, 1_000);
    display.clear();
    return text;
  };

  it("is a line on a terminal, now and then, and gone at the end", () => {
    const lines = shown(true).split("\r\u001B[2K");
    expect(lines).toEqual([
      "",
      " 50 %  500 runs judged, 500 a second, 0 silently wrong",
      " 50 %  1000 runs judged, 500 a second, 0 silently wrong",
      "",
    ]);
  });

  it("is nothing where nobody watches", () => {
    expect(shown(false)).toBe("");
  });
});
