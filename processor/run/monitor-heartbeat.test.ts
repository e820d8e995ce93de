import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MonitorGapRow } from "../clickhouse/run-rows.ts";
import { createMonitorHeartbeat, type MonitorHeartbeat, type MonitorHeartbeatOptions } from "./monitor-heartbeat.ts";

const INTERVAL = 1_000_000;

describe("the monitor's heartbeat", () => {
  let directory: string;
  let file: string;
  let now: number;
  const gaps: MonitorGapRow[] = [];
  const errors: string[] = [];
  const hearts: MonitorHeartbeat[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "runproof-heartbeat-"));
    file = join(directory, "beat");
    now = 1_700_000_000_000;
    gaps.length = 0;
    errors.length = 0;
  });
  afterEach(async () => {
    for (const heart of hearts.splice(0)) await heart.shutdown();
    await rm(directory, { recursive: true, force: true });
  });

  const heartbeat = (options: Partial<MonitorHeartbeatOptions> = {}): MonitorHeartbeat => {
    const heart = createMonitorHeartbeat({
      file,
      intervalMillis: INTERVAL,
      now: () => now,
      onGap: (gap) => void gaps.push(gap),
      onError: (what) => errors.push(what),
      ...options,
    });
    hearts.push(heart);
    return heart;
  };

  it("tells of no gap on a first start", async () => {
    await heartbeat().start();
    expect(gaps).toEqual([]);
    expect(await readFile(file, "utf8")).toBe(String(now));
  });

  it("tells of the time since the last beat of the process before", async () => {
    await heartbeat().start();
    const stoppedAt = (now += 10);
    await hearts[0]?.shutdown();
    now += 3 * INTERVAL + 1;
    await heartbeat().start();
    expect(gaps).toEqual([{ started_at: stoppedAt, ended_at: now, reason: "the service was not running" }]);
  });

  it("takes a quick restart for none", async () => {
    await heartbeat().start();
    await hearts[0]?.shutdown();
    now += 3 * INTERVAL;
    await heartbeat().start();
    expect(gaps).toEqual([]);
  });

  it("takes a clock that went back for none", async () => {
    await heartbeat().start();
    now -= 100 * INTERVAL;
    await heartbeat().start();
    expect(gaps).toEqual([]);
  });

  it.each(["", " ", "17", "1700000000000x", "-1700000000000", "1e99", "NaN"])(
    "takes a file that holds %j for a first start, not for decades of absence",
    async (text) => {
      await writeFile(file, text);
      await heartbeat().start();
      expect(gaps).toEqual([]);
      expect(await readFile(file, "utf8")).toBe(String(now));
    },
  );

  it("tells of a standstill of the running process once, as soon as anybody asks", async () => {
    const heart = heartbeat();
    await heart.start();
    const before = now;
    now += 5 * INTERVAL;
    heart.check();
    heart.check();
    expect(gaps).toEqual([{ started_at: before, ended_at: now, reason: "the service stood still" }]);
  });

  it("reports a gap that could not be noted while it runs, and fails to start when it could not be noted then", async () => {
    const broken = heartbeat({ onGap: () => Promise.reject(new Error("the store is away")) });
    await broken.start();
    now += 5 * INTERVAL;
    broken.check();
    await vi.waitFor(() => expect(errors).toEqual(["noting a gap of the monitor"]));
    await broken.shutdown();
    now += 5 * INTERVAL;
    await expect(heartbeat({ onGap: () => Promise.reject(new Error("away")) }).start()).rejects.toThrow("away");
  });

  it("reports a folder it cannot write and beats on", async () => {
    await heartbeat({ file: join(directory, "missing", "beat") }).start();
    expect(errors).toEqual(["writing the monitor's heartbeat"]);
  });

  it("beats while it runs and leaves one file; a second shutdown does nothing", async () => {
    const heart = heartbeat({ intervalMillis: 5 });
    await heart.start();
    now += 7;
    await vi.waitFor(async () => expect(await readFile(file, "utf8")).toBe(String(now)));
    await heart.shutdown();
    now += 7;
    await heart.shutdown();
    heart.check();
    expect(await readFile(file, "utf8")).toBe(String(now - 7));
    expect(await readdir(directory)).toEqual(["beat"]);
  });
});
