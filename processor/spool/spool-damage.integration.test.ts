import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createSpool } from "./spool.ts";
import { drain, numbered, recordOf } from "./testing/records.ts";
import { createSpoolDirectory } from "./testing/spool-directory.ts";

const RECORDS = 20;

it("recovers every record before the damage in 2,000 logs cut or bit-flipped anywhere, and counts the rest", async () => {
  // Thousands of syncs that this test is not about: in memory where there is such a place.
  const directory = await createSpoolDirectory(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
  onTestFinished(() => directory.close());
  const { file, bytes, ends } = await writtenLog(directory.path, () => directory.open());
  const problems: string[] = [];
  for (let copy = 0; copy < 2_000; copy++) {
    const at = Math.floor(Math.random() * bytes.length);
    const isCut = copy % 2 === 0;
    const damaged = isCut ? bytes.subarray(0, at) : flipped(bytes, at, 1 << (copy % 8));
    const before = ends.filter((end) => end <= at).length;
    const good = before === 0 ? 0 : ends[before - 1]!;
    const copyPath = join(directory.path, `copy${copy}`);
    await mkdir(copyPath);
    await writeFile(join(copyPath, file), damaged);
    const spool = createSpool({
      directory: copyPath,
      now: Date.now,
      onError: (what, error) => problems.push(`${what} ${String(error)}`),
    });
    await spool.start();
    expect(await drain(spool)).toEqual(numbered(before));
    const isClean = isCut && good === at;
    expect(spool.stats().quarantined).toEqual(
      isClean
        ? { tails: 0, bytes: 0, records: 0 }
        : { tails: 1, bytes: damaged.length - good, records: isCut ? 1 : RECORDS - before },
    );
    await spool.shutdown();
  }
  expect(problems).toEqual([]);
}, 240_000);

/** One segment with records of many sizes: its name, its bytes and where each record ends. */
async function writtenLog(
  path: string,
  open: () => ReturnType<Awaited<ReturnType<typeof createSpoolDirectory>>["open"]>,
) {
  const spool = await open();
  const ends: number[] = [];
  for (const [index, id] of numbered(RECORDS).entries()) {
    await spool.append(recordOf(id, { bytes: (index * 211) % 2_500 }));
    ends.push(spool.stats().bytes);
  }
  await spool.shutdown();
  const file = (await readdir(path)).find((name) => name.endsWith(".wal"))!;
  return { file, bytes: await readFile(join(path, file)), ends };
}

function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= mask;
  return copy;
}
