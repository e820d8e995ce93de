import { appendFile, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nodeSpoolFs } from "./spool-fs.ts";
import { interceptedFs, systemError } from "./testing/intercepted-fs.ts";
import { drain, idsOf, numbered, recordOf } from "./testing/records.ts";
import { createSpoolDirectory, type SpoolDirectory } from "./testing/spool-directory.ts";

let directory: SpoolDirectory;
beforeEach(async () => {
  directory = await createSpoolDirectory();
});
afterEach(() => directory.close());

const segmentFiles = async (): Promise<string[]> =>
  (await readdir(directory.path)).filter((name) => name.endsWith(".wal")).toSorted();

describe("append and read", () => {
  it("gives records back in the order they came, with every field", async () => {
    const spool = await directory.open();
    const records = [
      {
        ...recordOf("a"),
        kind: "logs" as const,
        encoding: "json" as const,
        project: "größe",
        receivedAtMillis: 12_345,
      },
      recordOf("b", { bytes: 0 }),
      recordOf("c", { bytes: 300_000 }),
    ];
    for (const record of records) expect(await spool.append(record)).toBe("durable");
    const batch = await spool.read(10_000_000);
    expect(batch?.records.map((record) => ({ ...record, payload: Buffer.from(record.payload) }))).toEqual(records);
  });

  it("cuts batches at the size asked for, one record at least", async () => {
    const spool = await directory.open();
    for (const id of numbered(10)) await spool.append(recordOf(id, { bytes: 1_000 }));
    expect(idsOf(await spool.read(1))).toEqual(["r0"]);
    expect(idsOf(await spool.read(3_500))).toEqual(["r1", "r2", "r3"]);
    expect(idsOf(await spool.read(1_000_000))).toHaveLength(6);
    expect(await spool.read(1_000_000)).toBeUndefined();
  });

  it("rotates segments and deletes the consumed ones", async () => {
    const spool = await directory.open({ segmentBytes: 10_000 });
    for (const id of numbered(50)) await spool.append(recordOf(id, { bytes: 1_000 }));
    const files = await segmentFiles();
    expect(files.length).toBeGreaterThanOrEqual(5);
    expect(spool.stats()).toMatchObject({ segments: files.length, acknowledged: 50 });
    expect(await drain(spool)).toEqual(numbered(50));
    expect(await segmentFiles()).toEqual(files.slice(-1));
    expect(spool.stats()).toMatchObject({ bytes: 0, segments: 1, oldestRecordAgeMillis: undefined });
  });

  it("takes a record that is larger than a segment into one of its own", async () => {
    const spool = await directory.open({ segmentBytes: 1_000 });
    for (const id of numbered(3)) expect(await spool.append(recordOf(id, { bytes: 5_000 }))).toBe("durable");
    expect(await segmentFiles()).toHaveLength(3);
    expect(await drain(spool)).toEqual(numbered(3));
  });

  it("fails appends before the start and after the shutdown, and is safe to shut down twice", async () => {
    const spool = await directory.open();
    const last = spool.append(recordOf("a"));
    const stopped = spool.shutdown();
    expect(await last).toBe("durable");
    await stopped;
    await spool.shutdown();
    expect(await spool.append(recordOf("b"))).toBe("failed");
    expect(await spool.read(1)).toBeUndefined();
    expect(await readdir(directory.path)).not.toContainEqual(expect.stringMatching(/^lock/));
  });
});

describe("group commit", () => {
  it("syncs many records at once, priority first, and answers none before its sync returned", async () => {
    let syncs = 0;
    let syncing = false;
    const isLog = (name: string): boolean => name.endsWith(".wal");
    const fs = interceptedFs(nodeSpoolFs, {
      before: async ({ site, name }) => {
        if (site !== "sync" || !isLog(name)) return;
        syncing = true;
        await sleep(20);
      },
      after: ({ site, name }) => {
        if (site !== "sync" || !isLog(name)) return;
        syncs++;
        syncing = false;
      },
    });
    const spool = await directory.open({ fs });
    const appended = numbered(200).map(async (id, index) => {
      if (index % 10 === 0) await sleep(index / 10);
      expect(await spool.append(recordOf(id, { lane: index % 20 === 5 ? "priority" : "bulk" }))).toBe("durable");
      expect(syncing).toBe(false);
    });
    await Promise.all(appended);
    expect(syncs).toBeLessThan(6);
    const ids = await drain(spool);
    expect(ids.toSorted()).toEqual(numbered(200).toSorted());
    expect(ids.slice(0, 10)).toEqual(numbered(200).filter((_, index) => index % 20 === 5));
    expect(spool.stats().lastSyncMillis).toBeGreaterThan(15);
  });
});

describe("limits", () => {
  it("is full at once and keeps headroom for the priority lane", async () => {
    const spool = await directory.open({ maxBytes: 100_000, segmentBytes: 10_000 });
    let taken = 0;
    while ((await spool.append(recordOf("x", { bytes: 1_000 }))) === "durable") taken++;
    expect(taken * 1_030).toBeGreaterThan(90_000);
    const priority: string[] = [];
    for (const id of numbered(6)) priority.push(await spool.append(recordOf(id, { bytes: 1_000, lane: "priority" })));
    expect(priority.slice(0, 4)).toEqual(["durable", "durable", "durable", "durable"]);
    expect(priority.at(-1)).toBe("full");
    expect(spool.stats().bytes).toBeLessThanOrEqual(100_000);
    expect(spool.stats().full).toBeGreaterThanOrEqual(2);
    await drain(spool);
    expect(await spool.append(recordOf("y", { bytes: 1_000 }))).toBe("durable");
  });

  it("bounds memory while the disk is slow, priority taken before bulk", async () => {
    let free = (): void => {};
    const held = new Promise<void>((resolve) => (free = resolve));
    const fs = interceptedFs(nodeSpoolFs, {
      before: ({ site, name }) => (site === "sync" && name.endsWith(".wal") ? held : undefined),
    });
    const spool = await directory.open({ fs, maxPendingBytes: 100_000 });
    const bulk = numbered(200).map((id) => spool.append(recordOf(id, { bytes: 1_000 })));
    const priority = numbered(4, "p").map((id) => spool.append(recordOf(id, { bytes: 1_000, lane: "priority" })));
    await sleep(50);
    expect(spool.stats()).toMatchObject({ acknowledged: 0, full: expect.any(Number) });
    expect(spool.stats().full).toBeGreaterThan(100);
    expect(spool.stats().pendingBytes).toBeLessThanOrEqual(100_000);
    free();
    expect(new Set(await Promise.all(priority))).toEqual(new Set(["durable"]));
    const outcomes = await Promise.all(bulk);
    expect(outcomes.filter((outcome) => outcome === "durable").length).toBeGreaterThan(85);
    expect(spool.stats().pendingBytes).toBe(0);
  });

  it("says how old the oldest record is", async () => {
    const spool = await directory.open({ now: () => 61_000 });
    await spool.append({ ...recordOf("a"), receivedAtMillis: 1_000 });
    await spool.append({ ...recordOf("b"), receivedAtMillis: 50_000 });
    expect(spool.stats().oldestRecordAgeMillis).toBe(60_000);
    await spool.commit((await spool.read(1))!);
    expect(spool.stats().oldestRecordAgeMillis).toBe(11_000);
  });
});

describe("batches", () => {
  it("repeats a batch under its name with its records, after a release and after a restart", async () => {
    const spool = await directory.open({ segmentBytes: 5_000 });
    for (const id of numbered(6)) await spool.append(recordOf(id, { bytes: 1_000 }));
    const first = (await spool.read(2_500))!;
    await spool.release(first);
    for (const id of numbered(6, "later")) await spool.append(recordOf(id, { bytes: 1_000 }));
    const again = (await spool.read(1_000_000))!;
    expect([again.name, idsOf(again)]).toEqual([first.name, ["r0", "r1"]]);
    const second = (await spool.read(1_100))!;
    await spool.shutdown();

    const next = await directory.open({ segmentBytes: 5_000 });
    for (const batch of [first, second]) {
      const repeated = (await next.read(1_000_000))!;
      expect([repeated.name, idsOf(repeated)]).toEqual([batch.name, idsOf(batch)]);
      await next.commit(repeated);
    }
    expect(await drain(next)).toEqual([...numbered(6).slice(3), ...numbered(6, "later")]);
  });

  it("takes commits in any order and does not repeat a later batch that was committed", async () => {
    const spool = await directory.open({ segmentBytes: 2_000 });
    for (const id of numbered(4)) await spool.append(recordOf(id, { bytes: 900 }));
    const batches = [await spool.read(1), await spool.read(1), await spool.read(1)].map((batch) => batch!);
    await spool.commit(batches[2]!);
    await spool.commit(batches[0]!);
    await spool.commit(batches[0]!);
    await spool.shutdown();
    const next = await directory.open({ segmentBytes: 2_000 });
    expect(await drain(next, 1)).toEqual(["r1", "r3"]);
  });

  it("gives a batch again whose reading failed", async () => {
    let failing = false;
    const fs = interceptedFs(nodeSpoolFs, {
      before: ({ site }) => {
        if (failing && site === "read") throw systemError("EIO");
      },
    });
    const spool = await directory.open({ fs });
    for (const id of numbered(3)) await spool.append(recordOf(id));
    const batch = (await spool.read(1))!;
    await spool.release(batch);
    failing = true;
    await expect(spool.read(1)).rejects.toMatchObject({ code: "EIO" });
    failing = false;
    expect((await spool.read(1))?.name).toBe(batch.name);
    expect(await drain(spool)).toEqual(["r1", "r2"]);
  });

  it("hands out at most 16 batches and goes on when one comes back", async () => {
    const spool = await directory.open();
    for (const id of numbered(20)) await spool.append(recordOf(id));
    const batches = [];
    for (let batch = await spool.read(1); batch !== undefined; batch = await spool.read(1)) batches.push(batch);
    expect(batches).toHaveLength(16);
    const waiting = spool.waitForRecords(AbortSignal.timeout(5_000));
    await spool.commit(batches[0]!);
    expect(await waiting).toBe(true);
    expect(idsOf(await spool.read(1))).toEqual(["r16"]);
  });

  it("gives no name twice, also after the directory was emptied", async () => {
    const names = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const spool = await directory.open();
      await spool.append(recordOf("a"));
      names.add((await spool.read(1_000))!.name);
      await spool.shutdown();
      await rm(directory.path, { recursive: true });
    }
    expect(names.size).toBe(3);
  });
});

describe("waitForRecords", () => {
  it("wakes soon after a record is durable", async () => {
    const spool = await directory.open();
    const waiting = spool.waitForRecords();
    await spool.append(recordOf("a"));
    const begin = performance.now();
    expect(await waiting).toBe(true);
    expect(performance.now() - begin).toBeLessThan(20_000);
    expect(await spool.waitForRecords()).toBe(true);
  });

  it("ends with the signal and with the spool", async () => {
    const spool = await directory.open();
    const controller = new AbortController();
    const aborted = spool.waitForRecords(controller.signal);
    const stopped = spool.waitForRecords();
    controller.abort();
    expect(await aborted).toBe(false);
    expect(await spool.waitForRecords(controller.signal)).toBe(false);
    await spool.shutdown();
    expect(await stopped).toBe(false);
    expect(await spool.waitForRecords()).toBe(false);
  });
});

describe("start", () => {
  it("continues where the last process stopped, whatever it had consumed", async () => {
    const expected = numbered(40);
    for (let round = 0; expected.length > 0; round++) {
      const spool = await directory.open({ segmentBytes: 5_000 });
      if (round === 0) for (const id of expected) await spool.append(recordOf(id, { bytes: 1_000 }));
      for (let batches = 0; batches <= round % 3; batches++) {
        const batch = await spool.read(2_500);
        if (batch === undefined) break;
        expect(idsOf(batch)).toEqual(expected.slice(0, batch.records.length));
        await spool.commit(batch);
        expected.splice(0, batch.records.length);
      }
      await spool.shutdown();
    }
  });

  it.each([
    ["missing", (path: string) => rm(path)],
    ["empty", (path: string) => truncate(path, 0)],
    ["noise", (path: string) => writeFile(path, Buffer.alloc(8_192, 0xa5))],
  ])("begins with the first segment when the checkpoint is %s", async (_, damage) => {
    const spool = await directory.open({ segmentBytes: 3_000 });
    for (const id of numbered(6)) await spool.append(recordOf(id, { bytes: 1_000 }));
    await spool.commit((await spool.read(1))!);
    await spool.shutdown();
    await damage(join(directory.path, "checkpoint"));
    expect(await drain(await directory.open())).toEqual(numbered(6));
  });

  it("falls back to the checkpoint before when the newest was torn", async () => {
    const spool = await directory.open();
    for (const id of numbered(4)) await spool.append(recordOf(id));
    await drain(spool, 1);
    await spool.shutdown();
    const path = join(directory.path, "checkpoint");
    const bytes = await readFile(path);
    const newest = [0, 4_096].toSorted((a, b) => sequenceIn(bytes, b) - sequenceIn(bytes, a))[0]!;
    bytes[newest + 10]! ^= 1;
    await writeFile(path, bytes);
    expect(await drain(await directory.open())).toEqual(["r3"]);
  });

  it("puts a damaged tail into quarantine and goes on with the next segment", async () => {
    const spool = await directory.open({ segmentBytes: 5_500 });
    for (const id of numbered(10)) await spool.append(recordOf(id, { bytes: 1_000 }));
    await spool.shutdown();
    const [first] = await segmentFiles();
    const path = join(directory.path, first!);
    const bytes = await readFile(path);
    bytes[2_500]! ^= 1;
    await writeFile(path, bytes);
    const next = await directory.open();
    expect(await drain(next)).toEqual(["r0", "r1", ...numbered(10).slice(5)]);
    const good = (bytes.length / 5) * 2;
    expect(next.stats().quarantined).toEqual({ tails: 1, bytes: bytes.length - good, records: 3 });
    const folder = join(directory.path, "quarantine");
    const stem = `${first!.replace(".wal", "")}-${good}`;
    expect(await readFile(join(folder, `${stem}.tail`))).toEqual(bytes.subarray(good));
    expect(JSON.parse(await readFile(join(folder, `${stem}.json`), "utf8"))).toMatchObject({
      reason: "crc",
      offset: good,
      records: 3,
    });
  });

  it("reads records of many MiB after a restart", async () => {
    const spool = await directory.open();
    for (const [index, id] of numbered(5).entries()) await spool.append(recordOf(id, { bytes: index * 1_300_000 }));
    await spool.shutdown();
    const next = await directory.open();
    expect(next.stats().quarantined.tails).toBe(0);
    expect(await drain(next, 100)).toEqual(numbered(5));
  });

  it("puts a damage into quarantine once, however often it starts", async () => {
    const spool = await directory.open();
    await spool.append(recordOf("a"));
    await spool.shutdown();
    const [first] = await segmentFiles();
    await appendFile(join(directory.path, first!), "damage");
    const tails: number[] = [];
    for (let start = 0; start < 3; start++) {
      const next = await directory.open();
      tails.push(next.stats().quarantined.tails);
      await next.shutdown();
    }
    expect(tails).toEqual([1, 0, 0]);
  });

  it("acknowledges nothing behind a damage, not even what was being written when it was found", async () => {
    let held: Promise<void> | undefined;
    const fs = interceptedFs(nodeSpoolFs, {
      before: ({ site, name }) => (site === "sync" && name.endsWith(".wal") ? held : undefined),
    });
    const spool = await directory.open({ fs });
    await spool.append(recordOf("a"));
    await spool.append(recordOf("b"));
    const path = join(directory.path, (await segmentFiles())[0]!);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    let free = (): void => {};
    held = new Promise((resolve) => (free = resolve));
    const late = spool.append(recordOf("late"));
    await vi.waitUntil(async () => (await readFile(path)).length > bytes.length, { timeout: 60_000 });
    expect(idsOf(await spool.read(1_000_000))).toEqual(["a"]);
    free();
    expect(await late).toBe("failed");
    await vi.waitUntil(() => spool.stats().writable, { timeout: 60_000 });
    expect(await spool.append(recordOf("again"))).toBe("durable");
  });

  it("notices damage done while it runs, keeps what is sound and takes no more into that segment", async () => {
    const spool = await directory.open();
    for (const id of numbered(6)) await spool.append(recordOf(id, { bytes: 1_000 }));
    const [first] = await segmentFiles();
    const bytes = await readFile(join(directory.path, first!));
    bytes[2_500]! ^= 1;
    await writeFile(join(directory.path, first!), bytes);
    const batch = await spool.read(1_000_000);
    expect(idsOf(batch)).toEqual(["r0", "r1"]);
    await spool.append(recordOf("later"));
    await spool.commit(batch!);
    expect(await drain(spool)).toEqual(["later"]);
    expect(spool.stats().quarantined).toMatchObject({ tails: 1, records: 4 });
    expect(await segmentFiles()).not.toContain(first);
  });

  it("refuses a directory that is in use and takes over what a dead process left", async () => {
    const spool = await directory.open();
    await expect(directory.open()).rejects.toMatchObject({ code: "SPOOL_LOCKED" });
    expect(await spool.append(recordOf("a"))).toBe("durable");
    await spool.shutdown();
    // Our own id with another start time: a process from before that had the same id.
    await writeFile(join(directory.path, `lock-${process.pid}-1`), "");
    await writeFile(join(directory.path, "lock-4194000-77"), "");
    const next = await directory.open();
    expect(await drain(next)).toEqual(["a"]);
    expect((await readdir(directory.path)).filter((name) => name.startsWith("lock"))).toHaveLength(1);
  });
});

const sequenceIn = (bytes: Buffer, slot: number): number =>
  Number(/^\[(\d+)/.exec(bytes.toString("latin1", slot + 8))?.[1]);
