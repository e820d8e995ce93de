import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CrashSpool } from "./crash-spool.ts";
import { parseSpool, parseSpoolFileName } from "./spool-file.ts";
import { currentOwner, isOwnerDead } from "./spool-owner.ts";
import { sampleRecord, sampleRun, sampleSpanId } from "./testing/sample-records.ts";

describe("CrashSpool", () => {
  let parent: string;
  let directory: string;
  let spool: CrashSpool;
  const make = (options: { maxBytes?: number; maxDirectoryBytes?: number } = {}): CrashSpool =>
    new CrashSpool({ directory, resource: { attributes: { "service.name": "t" } }, ...options });
  const append = (n: number, text?: string): boolean => {
    const { runId, event, span } = sampleRecord(n, text);
    return spool.appendRecord(runId, event, span);
  };
  const content = (): ReturnType<typeof parseSpool> => {
    const [name = ""] = readdirSync(directory);
    return parseSpool(readFileSync(join(directory, name), "utf8"));
  };
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "runproof-spool-"));
    directory = join(parent, "spool");
    spool = make();
  });
  afterEach(() => {
    spool.close();
    rmSync(parent, { recursive: true, force: true });
  });

  it("touches the disk only when something is owed, and then for its owner alone", () => {
    expect(readdirSync(parent)).toEqual([]);
    expect(append(1)).toBe(true);
    const [name = ""] = readdirSync(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    expect(parseSpoolFileName(name)?.owner).toEqual(currentOwner());
  });

  it("holds what is not acknowledged and removes the file with the last of it", () => {
    spool.markOpen(sampleRun(1));
    append(1);
    append(2);
    spool.acknowledge([sampleSpanId(1)]);
    expect(content().records.map((span) => span.spanId)).toEqual([sampleSpanId(2)]);
    expect(content().openRuns).toEqual([sampleRun(1)]);
    expect(content().resource).toEqual({ attributes: { "service.name": "t" } });
    spool.acknowledge([sampleSpanId(2)]);
    spool.markClosed("run-1");
    expect(readdirSync(directory)).toEqual([]);
    expect(append(3)).toBe(true);
  });

  it("is bounded, counts what it drops, and makes room by compaction", () => {
    spool = make({ maxBytes: 20_000 });
    append(0, "x".repeat(1_000));
    for (let n = 1; n < 100; n++) {
      expect(append(n, "y".repeat(1_000))).toBe(true);
      spool.acknowledge([sampleSpanId(n)]);
    }
    expect(content().records.map((span) => span.spanId)).toEqual([sampleSpanId(0)]);
    let kept = 0;
    for (let n = 100; n < 130; n++) kept += append(n, "z".repeat(1_000)) ? 1 : 0;
    expect(kept).toBeGreaterThan(3);
    expect(spool.dropped).toBe(30 - kept);
    const [name = ""] = readdirSync(directory);
    expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(20_000);
  });

  it("stops when all processes together left too much", () => {
    spool = make({ maxDirectoryBytes: 1_000 });
    append(1, "x".repeat(2_000));
    const other = make({ maxDirectoryBytes: 1_000 });
    expect(other.appendRecord("r", "start", sampleRecord(2).span)).toBe(false);
    expect(other.dropped).toBe(1);
  });

  it.each([
    [
      "a link",
      () => {
        mkdirSync(join(parent, "real"));
        symlinkSync(join(parent, "real"), directory);
      },
    ],
    [
      "open to everybody",
      () => {
        mkdirSync(directory);
        chmodSync(directory, 0o777);
      },
    ],
  ])("writes nothing into a folder that is %s", (_name, prepare) => {
    prepare();
    expect(append(1)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("parseSpool", () => {
  it("reads what is whole and hands back what is not", () => {
    const record = JSON.stringify({ type: "record", run_id: "r", event: "start", span: sampleRecord(1).span });
    const lines = [
      record,
      "garbage",
      '{"type":"record","span":{"traceId":"x"}}',
      "null",
      '{"type":"odd"}',
      record.slice(0, 40),
    ];
    const { records, corruptLines } = parseSpool(lines.join("\n"));
    expect(records.map((span) => span.spanId)).toEqual([sampleSpanId(1)]);
    expect(corruptLines).toHaveLength(5);
  });
});

describe("isOwnerDead", () => {
  const now = 1_000_000_000;
  it("takes this process for alive and a reused pid for dead", () => {
    expect(isOwnerDead(currentOwner(), now, now)).toBe(false);
    expect(isOwnerDead({ ...currentOwner(), startTicks: "1" }, now, now)).toBe(process.platform === "linux");
    expect(isOwnerDead({ ...currentOwner(), pid: 2 ** 30 }, now, now)).toBe(true);
  });

  it("takes the process of another host for dead only after long silence", () => {
    const foreign = { ...currentOwner(), host: "ffffffff", pid: 2 ** 30 };
    expect(isOwnerDead(foreign, now - 14 * 60_000, now)).toBe(false);
    expect(isOwnerDead(foreign, now - 16 * 60_000, now)).toBe(true);
  });
});
