import { setTimeout as sleep } from "node:timers/promises";
import { writeSync } from "node:fs";
import { createSpool } from "../spool.ts";
import { nodeSpoolFs } from "../spool-fs.ts";
import { type FsCall, interceptedFs } from "./intercepted-fs.ts";
import { idOf, recordOf } from "./records.ts";

/**
 * A process that appends and consumes until it is killed. It prints, unbuffered, `ready`, `ack <id>` for every
 * acknowledgement and `stored <batch> <ids>` for every insert, before the commit. It kills itself at the chosen point:
 * `<point> <nth>`, or never.
 *
 *     node spool-child.ts <directory> <prefix> <point> <nth>
 */

const [directory = "", prefix = "", point = "never", nthText = "1"] = process.argv.slice(2);

/** Which call of the file system a point stands before or after. */
const POINTS: Record<string, { readonly when: "before" | "after"; readonly is: (call: FsCall) => boolean }> = {
  "before write": { when: "before", is: ({ site, name }) => site === "write" && name.endsWith(".wal") },
  "after write": { when: "after", is: ({ site, name }) => site === "write" && name.endsWith(".wal") },
  "before sync": { when: "before", is: ({ site, name }) => site === "sync" && name.endsWith(".wal") },
  "after sync": { when: "after", is: ({ site, name }) => site === "sync" && name.endsWith(".wal") },
  "before checkpoint": { when: "before", is: ({ site, name }) => site === "write" && name === "checkpoint" },
  "after checkpoint": { when: "after", is: ({ site, name }) => site === "write" && name === "checkpoint" },
  "before segment create": { when: "after", is: ({ site, name }) => site === "open" && name.endsWith(".wal") },
  "before segment delete": { when: "before", is: ({ site, name }) => site === "remove" && name.endsWith(".wal") },
  "after segment delete": { when: "after", is: ({ site, name }) => site === "remove" && name.endsWith(".wal") },
  "in recovery": { when: "before", is: ({ site, name }) => site === "read" && name.endsWith(".wal") },
  "before quarantine": { when: "before", is: ({ site, name }) => site === "rename" && name.includes(".tail") },
  "after quarantine": { when: "before", is: ({ site, name }) => site === "truncate" && name.endsWith(".wal") },
};

let left = Number(nthText);
const die = (): void => {
  if (--left === 0) process.kill(process.pid, "SIGKILL");
};
const chosen = POINTS[point];
const fs = interceptedFs(nodeSpoolFs, {
  before: (call) => (chosen?.when === "before" && chosen.is(call) ? die() : undefined),
  after: (call) => (chosen?.when === "after" && chosen.is(call) ? die() : undefined),
});
const say = (line: string): number => writeSync(1, `${line}\n`);
const spool = createSpool({
  directory,
  segmentBytes: 20_000,
  fs,
  now: Date.now,
  onError: (what, error) => say(`error ${what} ${String(error)}`),
});
await spool.start();
say("ready");
let next = 0;

async function produce(): Promise<void> {
  while (true) {
    const id = `${prefix}-${next++}`;
    const outcome = await spool.append(
      recordOf(id, { bytes: 100 + ((next * 977) % 3_000), lane: next % 7 === 0 ? "priority" : "bulk" }),
    );
    if (point === "before ack") die();
    if (outcome === "durable") say(`ack ${id}`);
    await sleep(1);
  }
}

/** Two readers, so that batches are committed out of order too. */
async function consume(): Promise<void> {
  while (await spool.waitForRecords()) {
    const batch = await spool.read(8_000);
    if (batch === undefined) continue;
    say(`stored ${batch.name} ${batch.records.map(idOf).join(",")}`);
    await sleep(2);
    if (point === "before commit") die();
    await spool.commit(batch);
  }
}

await Promise.all([produce(), produce(), produce(), produce(), produce(), produce(), consume(), consume()]);
