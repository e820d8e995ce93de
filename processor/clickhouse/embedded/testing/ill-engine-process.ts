/** The real engine's process, which falls ill on command: SIGUSR2 stops its statements, SIGHUP makes it grow. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const THREADS = 64;
const GROWTH_BYTES = 1_200 * 1024 * 1024;
const held: Buffer[] = [];

// Statements run on libuv's threads. Each of these waits for ever for a writer, while the event loop goes on turning.
process.on("SIGUSR2", () => {
  const fifo = join(tmpdir(), `runproof-ill-${process.pid}`);
  execFileSync("mkfifo", [fifo]);
  for (let thread = 0; thread < THREADS; thread++) void readFile(fifo).catch(() => {});
});
process.on("SIGHUP", () => held.push(Buffer.alloc(GROWTH_BYTES, 1)));

await import("../engine-process.ts");
