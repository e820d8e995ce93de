import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ClickHouseClient } from "@clickhouse/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { rowsOf, startEngineFixture } from "../testing/engine-fixture.ts";

const PATIENCE = { timeout: 60_000, interval: 50 };
const CONTENT = "SELECT count() AS rows, toString(sum(cityHash64(*))) AS content FROM kept";

/** A table of two blocks, merged into one part; returns the directory of that part. */
async function mergedPart(service: ClickHouseClient): Promise<string> {
  await service.command({ query: "CREATE TABLE kept (id UInt64, text String) ENGINE = MergeTree ORDER BY id" });
  for (const first of [0, 1_000]) {
    const values = Array.from({ length: 1_000 }, (_, row) => ({ id: first + row, text: `row ${row}` }));
    await service.insert({ table: "kept", values, format: "JSONEachRow" });
  }
  await service.command({ query: "OPTIMIZE TABLE kept FINAL" });
  const [part] = await rowsOf<{ path: string }>(
    service,
    "SELECT path FROM system.parts WHERE active AND table = 'kept' AND level > 0",
  );
  return part?.path ?? "";
}

describe("an engine with a merged part whose marks came out empty", () => {
  it("is restarted before anybody reads, says which part it put aside, and has all rows", async () => {
    const { engine, service, close } = await startEngineFixture();
    onTestFinished(close);
    const path = await mergedPart(service);
    await truncate(join(path, "data.cmrk4"), 0);
    await vi.waitFor(() => expect(engine.stats()).toMatchObject({ up: true, restarts: { disk: 1 } }), PATIENCE);
    expect(await rowsOf(service, CONTENT)).toMatchObject([{ rows: 2_000 }]);
    const aside = "SELECT table, name FROM system.detached_parts";
    expect(await rowsOf(service, aside)).toEqual([{ table: "kept", name: "broken-on-start_all_1_2_1" }]);
    await sleep(3_000);
    expect(engine.stats().restarts).toEqual({ ended: 0, silent: 0, stuck: 0, memory: 0, disk: 1 });
  });

  it("that nobody noticed is restarted after the first read that fails", async () => {
    const { engine, service, close } = await startEngineFixture();
    onTestFinished(close);
    const path = await mergedPart(service);
    // Not a new part any more.
    await sleep(13_000);
    await truncate(join(path, "data.cmrk4"), 0);
    await expect(rowsOf(service, CONTENT)).rejects.toMatchObject({ type: "CORRUPTED_DATA" });
    await vi.waitFor(() => expect(engine.stats()).toMatchObject({ up: true, restarts: { disk: 1 } }), PATIENCE);
    expect(await rowsOf(service, CONTENT)).toMatchObject([{ rows: 2_000 }]);
  });
});

describe("an engine with sound parts", () => {
  it("is not restarted for errors that a reader makes up", async () => {
    const { engine, service, reader, close } = await startEngineFixture();
    onTestFinished(close);
    await mergedPart(service);
    const made = "SELECT finalizeAggregation(CAST(unhex('ff'), 'AggregateFunction(uniqExact, UInt64)'))";
    await expect(rowsOf(reader, made)).rejects.toMatchObject({ type: "ATTEMPT_TO_READ_AFTER_EOF" });
    await sleep(4_000);
    expect(engine.stats().restarts.disk).toBe(0);
  });
});
