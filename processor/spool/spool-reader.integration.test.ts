import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SpoolReader } from "./log-reader.ts";
import type { Spool } from "./spool.ts";
import { drain, idsOf, numbered, recordOf } from "./testing/records.ts";
import { createSpoolDirectory, type SpoolDirectory } from "./testing/spool-directory.ts";

let directory: SpoolDirectory;
beforeEach(async () => {
  directory = await createSpoolDirectory();
});
afterEach(() => directory.close());

const READERS = { readers: ["forward"], segmentBytes: 10_000 };

const segmentFiles = async (): Promise<string[]> =>
  (await readdir(directory.path)).filter((name) => name.endsWith(".wal")).toSorted();

async function append(spool: Spool, ids: readonly string[]): Promise<void> {
  for (const id of ids) expect(await spool.append(recordOf(id, { bytes: 1_000 }))).toBe("durable");
}

async function readAll(reader: SpoolReader): Promise<string[]> {
  const ids: string[] = [];
  for (let batch = await reader.read(3_000); batch !== undefined; batch = await reader.read(3_000)) {
    ids.push(...idsOf(batch));
    await reader.commit(batch);
  }
  return ids;
}

describe("a second reader", () => {
  it("gets every record once, whatever the consumer has done with it", async () => {
    const spool = await directory.open(READERS);
    await append(spool, numbered(25));
    expect(await drain(spool)).toEqual(numbered(25));
    const reader = spool.reader("forward");
    expect(await readAll(reader)).toEqual(numbered(25));
    await append(spool, ["late"]);
    expect(await reader.waitForRecords()).toBe(true);
    expect(await readAll(reader)).toEqual(["late"]);
    expect(await drain(spool)).toEqual(["late"]);
  });

  it("keeps segments until both have passed, and the consumer's backlog does not count them", async () => {
    const spool = await directory.open({ ...READERS, maxBytes: 60_000 });
    await append(spool, numbered(40));
    const files = await segmentFiles();
    await drain(spool);
    expect(await segmentFiles()).toEqual(files);
    expect(spool.stats().bytes).toBe(0);
    expect(spool.reader("forward").stats().bytes).toBeGreaterThan(40_000);
    await append(spool, numbered(40, "more"));
    expect(await readAll(spool.reader("forward"))).toHaveLength(80);
    await drain(spool);
    expect(await segmentFiles()).toHaveLength(1);
    expect(spool.reader("forward").stats()).toEqual({ bytes: 0, unreadBytes: 0, oldestRecordAgeMillis: undefined });
  });

  it("goes on where it was after a restart, with what was handed out first", async () => {
    const first = await directory.open(READERS);
    await append(first, numbered(25));
    await drain(first);
    const reader = first.reader("forward");
    const done = await reader.read(3_500);
    const lost = await reader.read(3_500);
    await reader.commit(done!);
    await first.shutdown();
    expect(await reader.read(1)).toBeUndefined();
    const second = await directory.open(READERS);
    const again = await second.reader("forward").read(3_500);
    expect([again?.name, idsOf(again)]).toEqual([lost?.name, idsOf(lost)]);
    await second.reader("forward").commit(again!);
    expect(await readAll(second.reader("forward"))).toEqual(numbered(25).slice(6));
    expect(await drain(second)).toEqual([]);
  });

  it("may be ahead of the consumer, which still gets everything", async () => {
    const first = await directory.open(READERS);
    await append(first, numbered(25));
    await readAll(first.reader("forward"));
    await first.shutdown();
    const second = await directory.open(READERS);
    expect(await second.reader("forward").read(1)).toBeUndefined();
    expect(await drain(second)).toEqual(numbered(25));
  });

  it("is forgotten when it is no longer named, and passes over what went meanwhile when it comes back", async () => {
    const first = await directory.open(READERS);
    await append(first, numbered(25));
    await drain(first);
    await first.shutdown();
    const without = await directory.open({ segmentBytes: 10_000 });
    expect(() => without.reader("forward")).toThrow("no reader");
    await append(without, numbered(25, "b"));
    await drain(without);
    expect(await segmentFiles()).toHaveLength(1);
    await without.shutdown();
    const again = await directory.open(READERS);
    await append(again, ["after"]);
    expect((await readAll(again.reader("forward"))).at(-1)).toBe("after");
  });

  it("passes over a damage it finds and leaves the rest to the consumer", async () => {
    const spool = await directory.open(READERS);
    await append(spool, numbered(9));
    await append(spool, numbered(9, "next"));
    await drain(spool);
    await append(spool, ["tail"]);
    const [file] = await segmentFiles();
    const handle = await open(join(directory.path, file!), "r+");
    await handle.write(Buffer.from([0xff, 0xff]), 0, 2, 2_500);
    await handle.close();
    const ids = await readAll(spool.reader("forward"));
    expect(ids).toEqual(["r0", "r1", ...numbered(9, "next"), "tail"]);
    expect(await drain(spool)).toEqual(["tail"]);
    expect(spool.stats().quarantined.tails).toBe(0);
    expect(directory.errors).toEqual([expect.stringContaining("damaged at offset")]);
  });

  it("does not let two readers clear away one segment twice", async () => {
    const spool = await directory.open(READERS);
    for (let round = 0; round < 20; round++) {
      await append(spool, numbered(12, `x${round}-`));
      const [consumed, forwarded] = await Promise.all([drain(spool, 3_000), readAll(spool.reader("forward"))]);
      expect(consumed).toEqual(forwarded);
    }
    expect((await segmentFiles()).length).toBe(spool.stats().segments);
    expect(spool.stats().segments).toBeLessThanOrEqual(2);
    expect(directory.errors).toEqual([]);
  });

  it("takes only plain names", async () => {
    await expect(directory.open({ readers: ["../x"] })).rejects.toThrow("cannot be called");
  });
});
