import { createInterface } from "node:readline";
import { loadServiceConfig } from "../../config.ts";
import { startService } from "../../service.ts";
import { nodeSpoolFs } from "../../spool/spool-fs.ts";
import { type FsCall, interceptedFs, systemError } from "../../spool/testing/intercepted-fs.ts";
import { type KillPoint, watchKillPoint } from "./kill-points.ts";

/**
 * The whole service in a process that kills itself at a chosen point: `node service-process.ts <json>`. It prints
 * `ready <json>` when it accepts connections and takes words on stdin: `drain`, which it answers with `drained`, `stop`,
 * and `disk full` and `disk free` for the disk under the spool.
 */

export interface ServiceProcessOptions {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Default: it lives until it is killed. */
  readonly point?: KillPoint | undefined;
  /** At which time of coming to the point; in shutdown, after how many milliseconds. */
  readonly nth?: number;
  /** So many times it kills its engine, a new one each time, during an insert, and says `engine killed`. */
  readonly engineKills?: number;
}

export interface ReadyService {
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
  readonly clickhouseUrl: string;
  readonly enginePid?: number;
}

const { settings, point, nth = 1, engineKills = 0 } = JSON.parse(process.argv[2] ?? "{}") as ServiceProcessOptions;
const die = (): void => void process.kill(process.pid, "SIGKILL");
const killed = new Set<number>();
let left = nth;
if (point !== undefined) watchKillPoint(point, () => (--left === 0 ? die() : undefined));

if (engineKills > 0) watchKillPoint("during insert", killEngine);
const disk = fillableDisk();

const service = await startService(loadServiceConfig({}, settings), {
  log: (message) => process.stderr.write(`${message}\n`),
});
const { otlpUrl, otlpGrpcUrl, clickhouseUrl } = service;
process.stdout.write(
  `ready ${JSON.stringify({ otlpUrl, otlpGrpcUrl, clickhouseUrl, enginePid: service.enginePid() } as ReadyService)}\n`,
);

for await (const line of createInterface({ input: process.stdin })) {
  if (line === "drain") {
    await service.idle();
    process.stdout.write("drained\n");
  }
  if (line.startsWith("disk ")) disk.isFull = line === "disk full";
  if (line === "stop") {
    if (point === "in shutdown") setTimeout(die, nth);
    await service.shutdown();
    process.exit(0);
  }
}

function killEngine(): void {
  const pid = service.enginePid();
  if (pid === undefined || killed.has(pid) || killed.size >= engineKills) return;
  killed.add(pid);
  process.kill(pid, "SIGKILL");
  process.stdout.write("engine killed\n");
}

function fillableDisk(): { isFull: boolean } {
  const state = { isFull: false };
  const before = ({ site, name }: FsCall): void => {
    // What is written in place needs no room.
    if (state.isFull && site === "write" && name !== "checkpoint") throw systemError("ENOSPC");
  };
  Object.assign(nodeSpoolFs, interceptedFs({ ...nodeSpoolFs }, { before }));
  return state;
}
