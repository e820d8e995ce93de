/**
 * `node bench/disk-full.ts [MiB] [spans/s]`: the service with all its data on a small tmpfs that is filled to the last byte
 * while spans come in, and emptied again. Mounting needs root: without it the exit code is 2. Prints one document of JSON.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram, startService } from "./collector.ts";
import { rounded } from "./figures.ts";
import type { LoadOptions, LoadReport } from "./load-generator.ts";
import { print } from "./measure.ts";
import { BATCH_SPANS, createSteadyBatches } from "./steady-batches.ts";
import { checkStored } from "./steady-check.ts";

const [mebibytes = 256, spansPerSecond = 1_000] = process.argv.slice(2).map(Number);
const BEFORE_SECONDS = 8;
const FULL_SECONDS = 15;
const AFTER_SECONDS = 15;
const MAX_DRAIN_MILLIS = 120_000;

if (process.getuid?.() !== 0) {
  process.stderr.write("disk-full: mounting a tmpfs needs root\n");
  process.exit(2);
}
const disk = await mkdtemp(join(tmpdir(), "runproof-disk-"));
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", disk], { encoding: "utf8" });
if (mounted.status !== 0) {
  process.stderr.write(`disk-full: ${mounted.stderr}\n`);
  process.exit(2);
}

/** Takes all the room there is, and goes on taking what becomes free, until the file goes. */
function fill(): { readonly path: string; stop(): void } {
  const path = join(disk, "ballast");
  const file = openSync(path, "w");
  const takeAll = (): void => {
    for (const bytes of [1 << 20, 1 << 16, 1 << 12]) {
      const block = Buffer.alloc(bytes);
      try {
        while (writeSync(file, block) > 0);
      } catch {
        // Full for blocks of this size.
      }
    }
  };
  takeAll();
  const timer = setInterval(takeAll, 2);
  return {
    path,
    stop() {
      clearInterval(timer);
      closeSync(file);
    },
  };
}

process.once("exit", () => spawnSync("umount", ["--lazy", disk]));
const service = await startService(join(disk, "data"));
const batchOptions = { seed: 1, startedAtMillis: Date.now(), runs: false };
const sending = runProgram<LoadReport>("./load-generator.ts", {
  ...batchOptions,
  httpUrl: service.httpUrl,
  grpcUrl: service.grpcUrl,
  clickhouseUrl: service.clickhouseUrl,
  spansPerSecond,
  seconds: BEFORE_SECONDS + FULL_SECONDS + AFTER_SECONDS,
} satisfies LoadOptions);
await sleep(BEFORE_SECONDS * 1_000);
const ballast = fill();
const fullAt = Date.now();
await sleep(FULL_SECONDS * 1_000);
ballast.stop();
await rm(ballast.path);
const freeAt = Date.now();
const report = await sending;
const stored = await checkStored(service.store, createSteadyBatches(batchOptions), {
  report,
  millis: MAX_DRAIN_MILLIS,
});
const firstRefusal = report.refusedAt.find((at) => at >= fullAt);
const acknowledged = report.acknowledgements.map(([at]) => at);
const firstAfter = acknowledged.find((at) => at >= freeAt);
print(
  JSON.stringify(
    {
      sent: report.sentBatches * BATCH_SPANS,
      refused: report.refused,
      firstRefusalMillis: firstRefusal === undefined ? null : firstRefusal - fullAt,
      acknowledgedAfterFirstRefusal: acknowledged.filter((at) => at > (firstRefusal ?? fullAt) && at < freeAt).length,
      acknowledgedAfterASecond: acknowledged.filter((at) => at > fullAt + 1_000 && at < freeAt).length,
      recoverySeconds: firstAfter === undefined ? null : rounded((firstAfter - freeAt) / 1_000, 2),
      stored,
    },
    null,
    2,
  ),
);
await service.stop();
spawnSync("umount", [disk]);
await rmdir(disk);
