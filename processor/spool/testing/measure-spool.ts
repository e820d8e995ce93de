import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSpool, type Spool } from "../spool.ts";
import type { SpoolRecord } from "../frame.ts";

/**
 * Prints appends and MB per second, acknowledgement times and memory for 66 KiB records: 100 a second, flat out with 64
 * senders, flat out while consuming, then reading back and the start with a backlog.
 *
 *     node measure-spool.ts [seconds] [directory]
 */

const [seconds = "10", parent = tmpdir()] = process.argv.slice(2);
const MILLIS = Number(seconds) * 1_000;
const RECORD_BYTES = 66 * 1024;
const root = await mkdtemp(join(parent, "runproof-spool-bench-"));
const payload = randomBytes(RECORD_BYTES);
const record = (): SpoolRecord => ({
  kind: "traces",
  encoding: "protobuf",
  lane: "bulk",
  project: "bench",
  receivedAtMillis: Date.now(),
  payload,
});

async function withSpool(name: string, work: (spool: Spool) => Promise<void>): Promise<void> {
  const spool = createSpool({
    directory: join(root, name),
    now: Date.now,
    onError: (what, error) => console.error(what, error),
    maxBytes: 64 * 2 ** 30,
  });
  await spool.start();
  await work(spool);
  await spool.shutdown();
}

async function timedAppend(spool: Spool, times: number[]): Promise<void> {
  const begin = performance.now();
  const outcome = await spool.append(record());
  if (outcome !== "durable") throw new Error(outcome);
  times.push(performance.now() - begin);
}

function report(name: string, times: number[], millis: number): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
  const rate = (times.length / millis) * 1_000;
  const megabytes = (rate * RECORD_BYTES) / 1e6;
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${name}: ${rate.toFixed(0)}/s ${megabytes.toFixed(0)} MB/s ack p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms rss ${rss} MiB`,
  );
}

async function flatOut(spool: Spool, name: string): Promise<void> {
  const times: number[] = [];
  const begin = performance.now();
  const sender = async (): Promise<void> => {
    while (performance.now() - begin < MILLIS) await timedAppend(spool, times);
  };
  await Promise.all(Array.from({ length: 64 }, sender));
  report(name, times, performance.now() - begin);
}

async function consume(spool: Spool, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  while (await spool.waitForRecords(signal)) {
    const batch = await spool.read(16 * 2 ** 20);
    if (batch === undefined) continue;
    bytes += batch.bytes;
    await spool.commit(batch);
  }
  return bytes;
}

await withSpool("paced", async (spool) => {
  const times: number[] = [];
  const begin = performance.now();
  const pending: Promise<void>[] = [];
  for (let sent = 0; performance.now() - begin < MILLIS; sent++) {
    pending.push(timedAppend(spool, times));
    await sleep(Math.max(0, begin + sent * 10 - performance.now()));
  }
  await Promise.all(pending);
  report("100 a second", times, performance.now() - begin);
});
await withSpool("consumed", async (spool) => {
  const controller = new AbortController();
  const consumed = consume(spool, controller.signal);
  await flatOut(spool, "flat out, consumed meanwhile");
  controller.abort();
  console.log(
    `  consumed ${((await consumed) / 1e6).toFixed(0)} MB, left ${(spool.stats().bytes / 1e6).toFixed(0)} MB`,
  );
});
await withSpool("flat", (spool) => flatOut(spool, "flat out"));
const begin = performance.now();
await withSpool("flat", async (spool) => {
  const { bytes, segments } = spool.stats();
  const started = performance.now();
  console.log(`start with ${(bytes / 1e6).toFixed(0)} MB in ${segments} segments: ${(started - begin).toFixed(0)} ms`);
  for (let batch = await spool.read(16 * 2 ** 20); batch !== undefined; batch = await spool.read(16 * 2 ** 20))
    await spool.commit(batch);
  console.log(`read and commit: ${((bytes / (performance.now() - started)) * 1e-3).toFixed(0)} MB/s`);
});
await rm(root, { recursive: true });
