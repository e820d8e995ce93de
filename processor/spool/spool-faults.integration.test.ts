import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Spool } from "./spool.ts";
import { nodeSpoolFs } from "./spool-fs.ts";
import { type FsSite, interceptedFs, systemError } from "./testing/intercepted-fs.ts";
import { drain, idsOf, recordOf } from "./testing/records.ts";
import { createSpoolDirectory, type SpoolDirectory } from "./testing/spool-directory.ts";

const run = promisify(execFile);

async function directoryForTest(parent?: string): Promise<SpoolDirectory> {
  const directory = await createSpoolDirectory(parent);
  onTestFinished(() => directory.close());
  return directory;
}

/** A small disk of its own, where the machine lets us have one. */
async function smallDisk(size: string): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), "runproof-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
  } catch {
    await rm(path, { recursive: true });
    return undefined;
  }
  onTestFinished(async () => {
    await run("umount", ["-l", path]);
    await rm(path, { recursive: true, force: true });
  });
  return path;
}

async function untilDurable(spool: Spool, id: string): Promise<void> {
  await vi.waitUntil(async () => (await spool.append(recordOf(id))) === "durable", { timeout: 60_000, interval: 50 });
}

const lockIn = async (path: string): Promise<string> =>
  (await readdir(path)).find((name) => name.startsWith("lock-")) ?? "no-lock";

const SITES: readonly FsSite[] = [
  "open",
  "write",
  "read",
  "sync",
  "truncate",
  "size",
  "list",
  "mkdir",
  "rename",
  "remove",
  "syncdir",
];

/** Appends, reads, releases, commits and rotates; returns what was acknowledged and what was committed. */
async function work(spool: Spool, prefix: string): Promise<{ acknowledged: string[]; stored: string[] }> {
  const acknowledged: string[] = [];
  const stored: string[] = [];
  for (let index = 0; index < 6; index++) {
    const ids = [0, 1, 2].map((part) => `${prefix}-${index}-${part}`);
    const outcomes = await Promise.all(ids.map((id) => spool.append(recordOf(id, { bytes: 700 }))));
    acknowledged.push(...ids.filter((_, part) => outcomes[part] === "durable"));
    const batch = await spool.read(1_500).catch(() => undefined);
    if (batch === undefined) continue;
    if (index % 2 === 0) {
      stored.push(...idsOf(batch));
      await spool.commit(batch);
    } else {
      await spool.release(batch);
    }
  }
  return { acknowledged, stored };
}

it.each(SITES.flatMap((site) => ["EIO", "ENOSPC"].map((code) => [site, code] as const)))(
  "never says durable falsely and loses nothing when any %s call fails with %s",
  async (site, code) => {
    for (let nth = 1, failed = true; failed; nth++) {
      const directory = await createSpoolDirectory();
      // A damaged segment, so that quarantine has its calls too.
      const before = await directory.open({ segmentBytes: 4_000 });
      await before.append(recordOf("old"));
      await before.shutdown();
      await writeFile(join(directory.path, "000000000009-0123456789abcdef.wal"), "damage");
      failed = false;
      let calls = 0;
      const fs = interceptedFs(nodeSpoolFs, {
        before: (call) => {
          if (call.site !== site || ++calls !== nth) return;
          failed = true;
          throw systemError(code);
        },
      });
      const spool = await directory.open({ segmentBytes: 4_000, fs }).catch(() => undefined);
      const seen = spool === undefined ? { acknowledged: [], stored: [] } : await work(spool, "a");
      await spool?.shutdown();
      // A lock that could not be removed is this process's own and holds; the next process would see that it is dead.
      await rm(join(directory.path, await lockIn(directory.path)), { force: true });
      const next = await directory.open({ segmentBytes: 4_000 });
      const stored = new Set([...seen.stored, ...(await drain(next))]);
      expect([...seen.acknowledged, "old"].filter((id) => !stored.has(id))).toEqual([]);
      await directory.close();
    }
  },
  60_000,
);

it.each(["write", "sync", "open"] as const)(
  "stops acknowledging when %s fails and recovers by itself",
  async (site) => {
    const directory = await directoryForTest();
    let broken = false;
    const fs = interceptedFs(nodeSpoolFs, {
      before: (call) => {
        if (broken && call.site === site && call.name !== "checkpoint") throw systemError("ENOSPC");
      },
    });
    const spool = await directory.open({ fs, segmentBytes: 1_000 });
    expect(await spool.append(recordOf("a"))).toBe("durable");
    broken = true;
    const refused = ["b0", "b1", "b2", "b3", "b4", "b5"];
    const begin = performance.now();
    const outcomes = await Promise.all(refused.map((id) => spool.append(recordOf(id, { bytes: 900 }))));
    expect(outcomes.at(-1)).toBe("failed");
    expect(await spool.append(recordOf("c"))).toBe("failed");
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(spool.stats().writable).toBe(false);
    await sleep(600);
    expect(await spool.append(recordOf("d"))).toBe("failed");
    expect(directory.errors).toHaveLength(1);
    broken = false;
    await untilDurable(spool, "e");
    expect(spool.stats().writable).toBe(true);
    const acknowledged = ["a", ...refused.filter((_, index) => outcomes[index] === "durable"), "e"];
    expect(await drain(spool)).toEqual(acknowledged);
  },
);

it("cuts off what a failed sync left behind", async () => {
  const directory = await directoryForTest();
  let failing = false;
  const fs = interceptedFs(nodeSpoolFs, {
    before: ({ site, name }) => {
      if (failing && site === "sync" && name.endsWith(".wal")) throw systemError("EIO");
    },
  });
  const spool = await directory.open({ fs });
  await spool.append(recordOf("a"));
  const { bytes } = spool.stats();
  failing = true;
  expect(await spool.append(recordOf("b"))).toBe("failed");
  const first = (await readdir(directory.path)).find((name) => name.endsWith(".wal"));
  await vi.waitUntil(async () => (await stat(join(directory.path, first!))).size === bytes, { timeout: 60_000 });
});

it("does not trust a segment behind its last good sync", async () => {
  const directory = await directoryForTest();
  let failing = false;
  const fs = interceptedFs(nodeSpoolFs, {
    before: ({ site, name }) => {
      if (failing && name.endsWith(".wal") && (site === "sync" || site === "truncate")) throw systemError("EIO");
    },
  });
  const spool = await directory.open({ fs });
  await spool.append(recordOf("a"));
  failing = true;
  expect(await spool.append(recordOf("b"))).toBe("failed");
  failing = false;
  await untilDurable(spool, "c");
  expect(idsOf(await spool.read(1_000_000))).toEqual(["a"]);
  expect(idsOf(await spool.read(1_000_000))).toEqual(["c"]);
  await spool.shutdown();
  // The tail could not be cut off, so after a restart it may come as a repetition.
  expect(await drain(await directory.open())).toEqual(expect.arrayContaining(["a", "c"]));
});

it("answers failed on a full disk, keeps what it acknowledged and recovers when space comes back", async (context) => {
  const disk = await smallDisk("8m");
  if (disk === undefined) return context.skip("mounting a tmpfs needs rights this user has not");
  const directory = await directoryForTest(disk);
  const spool = await directory.open({ segmentBytes: 1 << 20 });
  const acknowledged: string[] = [];
  for (let index = 0; ; index++) {
    const outcome = await spool.append(recordOf(`r${index}`, { bytes: 60_000 }));
    if (outcome !== "durable") break;
    acknowledged.push(`r${index}`);
  }
  expect(acknowledged.length).toBeGreaterThan(100);
  const begin = performance.now();
  expect(await spool.append(recordOf("full", { bytes: 60_000 }))).toBe("failed");
  expect(performance.now() - begin).toBeLessThan(10_000);
  await sleep(600);
  expect(await spool.append(recordOf("full", { bytes: 60_000 }))).toBe("failed");
  // Consuming makes room although no new byte fits: the checkpoint is written in place.
  expect(await drain(spool)).toEqual(acknowledged);
  await untilDurable(spool, "after");
  expect(directory.errors).toEqual([expect.stringContaining("ENOSPC")]);
  await spool.shutdown();
  expect(await drain(await directory.open())).toEqual(["after"]);
});

it("starts on a full disk with a damaged log, hands out what is sound and takes records once there is room", async (context) => {
  const disk = await smallDisk("4m");
  if (disk === undefined) return context.skip("mounting a tmpfs needs rights this user has not");
  const directory = await directoryForTest(disk);
  const before = await directory.open();
  for (let index = 0; index < 30; index++) await before.append(recordOf(`r${index}`, { bytes: 60_000 }));
  await before.shutdown();
  const wal = join(directory.path, "000000000099-0123456789abcdef.wal");
  await writeFile(wal, Buffer.alloc(1_500_000, 7));
  await writeFile(join(disk, "ballast"), Buffer.alloc(4 << 20)).catch(() => {});
  const spool = await directory.open();
  expect(spool.stats()).toMatchObject({ writable: true, quarantined: { tails: 0 } });
  expect(await spool.append(recordOf("no", { bytes: 60_000 }))).toBe("failed");
  expect(await drain(spool)).toHaveLength(30);
  await untilDurable(spool, "yes");
  await vi.waitUntil(
    async () => {
      await drain(spool);
      await spool.append(recordOf("more"));
      return spool.stats().quarantined.tails === 1;
    },
    { timeout: 60_000 },
  );
  expect(spool.stats().quarantined.bytes).toBe(1_500_000);
});

it("answers failed on a file system that turned read-only and recovers when it is writable again", async (context) => {
  const disk = await smallDisk("8m");
  if (disk === undefined) return context.skip("mounting a tmpfs needs rights this user has not");
  const directory = await directoryForTest(disk);
  // The kernel refuses to turn a mount read-only under files open for writing, so that half is injected.
  let readOnly = false;
  const fs = interceptedFs(nodeSpoolFs, {
    before: ({ site }) => {
      if (readOnly && (site === "write" || site === "truncate")) throw systemError("EROFS");
    },
  });
  const spool = await directory.open({ fs });
  expect(await spool.append(recordOf("a"))).toBe("durable");
  readOnly = true;
  expect(await spool.append(recordOf("b"))).toBe("failed");
  expect(await drain(spool)).toEqual(["a"]);
  readOnly = false;
  await untilDurable(spool, "c");
  await spool.shutdown();
  await run("mount", ["-o", "remount,ro", disk]);
  await expect(directory.open()).rejects.toMatchObject({ code: "EROFS" });
  await run("mount", ["-o", "remount,rw", disk]);
  expect(await drain(await directory.open())).toContain("c");
});

it("waits for a slow disk, and only for it", async () => {
  const directory = await directoryForTest();
  const fs = interceptedFs(nodeSpoolFs, {
    before: ({ site, name }) => (site === "sync" && name.endsWith(".wal") ? sleep(2_000) : undefined),
  });
  const spool = await directory.open({ fs, maxPendingBytes: 1_000_000 });
  const begin = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => spool.append(recordOf(`r${index}`, { bytes: 60_000 }))),
  );
  const millis = performance.now() - begin;
  expect(outcomes.filter((outcome) => outcome === "durable")).toHaveLength(15);
  expect(outcomes.filter((outcome) => outcome === "full")).toHaveLength(35);
  expect(millis).toBeGreaterThan(1_900);
  expect(millis).toBeLessThan(20_000);
});
