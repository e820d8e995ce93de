import { setTimeout as sleep } from "node:timers/promises";

import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { rowsOf } from "../testing/engine-fixture.ts";
import { createEmbeddedEngine, type EmbeddedEngine } from "./embedded-engine.ts";
import { mountSmallDisk, type SmallDisk } from "./testing/small-disk.ts";

const CYCLES = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 12 : 4;
const BLOCKS = 4;
const ROWS = 20_000;
/** Longer than the longest wait between two restarts. */
const PATIENCE = { timeout: 90_000, interval: 100 };

const probe = await mountSmallDisk(1);
await probe?.remove();
// Nothing else has a disk that fills in a moment and hurts nobody.
if (probe === undefined) console.warn("SKIPPED: the tests of a full disk need the right to mount a tmpfs (root).");

interface FillableEngine {
  readonly disk: SmallDisk;
  readonly engine: EmbeddedEngine;
  readonly service: ClickHouseClient;
  readonly log: string[];
  /** Adds a block; gives the number of rows that are in the table if the engine takes it. */
  insert(): Promise<number>;
}

async function startOnSmallDisk(): Promise<FillableEngine> {
  const disk = await mountSmallDisk(256);
  if (disk === undefined) throw new Error("cannot mount any more");
  const log: string[] = [];
  const logger = { warn: (message: string) => void log.push(message) };
  const engine = createEmbeddedEngine({ dataDirectory: `${disk.path}/data`, port: 0, logger });
  await engine.start();
  const service = createClient({
    url: engine.url(),
    ...engine.serviceCredentials(),
    log: { level: ClickHouseLogLevel.OFF },
  });
  onTestFinished(async () => {
    await service.close();
    await engine.shutdown();
    await disk.remove();
  });
  await service.command({ query: "CREATE TABLE kept (id UInt64, text String) ENGINE = MergeTree ORDER BY id" });
  let rows = 0;
  return {
    disk,
    engine,
    service,
    log,
    async insert() {
      const values = Array.from({ length: ROWS }, (_, row) => ({ id: (row * 7_919) % ROWS, text: textOf(rows + row) }));
      await service.insert({ table: "kept", values, format: "JSONEachRow" });
      return (rows += ROWS);
    },
  };
}

const textOf = (row: number): string => `${row} `.repeat(10);

/** Every column of every row. */
const CONTENT = "SELECT count() AS rows, toString(sum(cityHash64(*))) AS content FROM kept";

describe.skipIf(probe === undefined)("an engine whose disk fills up", { timeout: 400_000 }, () => {
  it("during merges has all its rows again each time there is room, without a restart of the service", async () => {
    const { disk, engine, service, log, insert } = await startOnSmallDisk();
    let struck = 0;
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      // After a filling the engine may still wait for more room, and says so.
      await vi.waitFor(insert, PATIENCE);
      for (let block = 1; block < BLOCKS; block++) await insert();
      const [before] = await rowsOf(service, CONTENT);
      expect(before).toMatchObject({ rows: (cycle + 1) * BLOCKS * ROWS });
      let isOver = false;
      const merged = service.command({ query: "OPTIMIZE TABLE kept FINAL" }).catch(() => {});
      void merged.then(() => (isOver = true));
      const isMerging = async (): Promise<boolean> => (await rowsOf(service, "SELECT 1 FROM system.merges")).length > 0;
      // It may be over before anybody sees it.
      await vi.waitUntil(async () => isOver || (await isMerging()), { ...PATIENCE, interval: 1 });
      if (!isOver) struck++;
      disk.fill(0);
      await sleep(1_500);
      disk.free();
      await merged;
      await vi.waitFor(async () => expect(await rowsOf(service, CONTENT)).toEqual([before]), PATIENCE);
    }
    expect(struck).toBeGreaterThan(0);
    const { disk: healed, ...others } = engine.stats().restarts;
    expect(others).toEqual({ ended: 0, silent: 0, stuck: 0, memory: 0 });
    const aside = log.filter((line) => line.includes("put aside"));
    // The last restart may still be under way.
    expect(healed - aside.length).toBeOneOf([0, 1]);
    for (const line of aside) expect(line).toMatch(/kept\/broken-on-start_all_/);
  });

  it("slowly stops inserts first, then merges, and takes both up again", async () => {
    const { disk, engine, service, log, insert } = await startOnSmallDisk();
    await insert();
    await insert();
    disk.fill(50);
    await expect(insert()).rejects.toMatchObject({ code: "243", type: "NOT_ENOUGH_SPACE" });
    disk.fill(20);
    await vi.waitFor(() => expect(log.at(-1)).toContain("neither inserts nor merges"), PATIENCE);
    await vi.waitFor(
      () => expect(service.command({ query: "OPTIMIZE TABLE kept FINAL" })).rejects.toThrow(/Cancelled/),
      PATIENCE,
    );
    expect(await rowsOf(service, "SELECT count() AS rows FROM kept")).toEqual([{ rows: 2 * ROWS }]);
    disk.free();
    await vi.waitFor(() => expect(log.at(-1)).toContain("has room again"), PATIENCE);
    expect(await insert()).toBe(3 * ROWS);
    await service.command({ query: "OPTIMIZE TABLE kept FINAL" });
    expect(engine.stats()).toMatchObject({ up: true, restarts: { disk: 0, ended: 0 } });
  });

  it("starts on a disk that is short of room, serves what it has, and inserts when there is room", async () => {
    const { disk, engine, service, log, insert } = await startOnSmallDisk();
    await insert();
    disk.fill(20);
    await vi.waitFor(() => expect(log.at(-1)).toContain("neither inserts nor merges"), PATIENCE);
    const killed = engine.pid() as number;
    process.kill(killed, "SIGKILL");
    await vi.waitUntil(() => engine.stats().up && engine.pid() !== killed, PATIENCE);
    expect(await rowsOf(service, "SELECT count() AS rows FROM kept")).toEqual([{ rows: ROWS }]);
    await expect(insert()).rejects.toMatchObject({ type: "NOT_ENOUGH_SPACE" });
    disk.free();
    await vi.waitFor(async () => expect(await insert()).toBe(2 * ROWS), PATIENCE);
    expect(engine.stats().restarts).toEqual({ ended: 1, silent: 0, stuck: 0, memory: 0, disk: 0 });
  });
});
