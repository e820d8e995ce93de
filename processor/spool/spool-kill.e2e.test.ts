import { spawn } from "node:child_process";
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { idsOf } from "./testing/records.ts";
import { createSpoolDirectory } from "./testing/spool-directory.ts";

const CHILD = fileURLToPath(new URL("testing/spool-child.ts", import.meta.url));
const KILLS = process.env["RUNPROOF_LONG_TESTS"] === "1" ? 200 : 40;

/** Where the child kills itself, and how often it passes there before. `random`: we kill it. */
const POINTS: readonly (readonly [point: string, atMost: number])[] = [
  ["random", 1],
  ["before write", 12],
  ["after write", 12],
  ["before sync", 12],
  ["after sync", 12],
  ["before ack", 60],
  ["before commit", 6],
  ["before checkpoint", 8],
  ["after checkpoint", 8],
  ["before segment create", 4],
  ["before segment delete", 2],
  ["after segment delete", 2],
  ["in recovery", 1],
  ["before quarantine", 1],
  ["after quarantine", 1],
];

/** Runs the child to its death and gives what it printed. */
async function runUntilKilled(directory: string, prefix: string, point: string, nth: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", CHILD, directory, prefix, point, String(nth)],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  let errors = "";
  let timer: NodeJS.Timeout | undefined;
  const kill = (): void => void child.kill("SIGKILL");
  // A point that is never reached, such as a quarantine without damage, ends by our hand too.
  timer = setTimeout(kill, 1_500);
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    if (output === "" && point === "random") timer = setTimeout(kill, Math.random() * 300);
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
  clearTimeout(timer);
  expect(`${String(signal)} ${errors}`).toBe("SIGKILL ");
  return output.split("\n").slice(0, -1);
}

/** What the outside world knows: the senders' acknowledgements and the store, which drops a batch it has by name. */
class World {
  readonly acknowledged = new Set<string>();
  readonly stored = new Map<string, string>();

  learn(line: string): void {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "ack") this.acknowledged.add(first);
    else if (what === "stored") this.store(first, second);
    else expect(line).toBe("ready");
  }

  store(name: string, ids: string): void {
    expect(this.stored.get(name) ?? ids).toBe(ids);
    this.stored.set(name, ids);
  }
}

it(
  `loses nothing acknowledged and stores nothing twice in ${KILLS} kills`,
  async () => {
    const directory = await createSpoolDirectory();
    onTestFinished(() => directory.close());
    const world = new World();
    for (let kill = 0; kill < KILLS; kill++) {
      const [point, atMost] = POINTS[kill % POINTS.length]!;
      if (point.includes("quarantine")) await tearNewestSegment(directory.path);
      const nth = 1 + Math.floor(Math.random() * atMost);
      for (const line of await runUntilKilled(directory.path, `k${kill}`, point, nth)) world.learn(line);
    }
    const spool = await directory.open();
    for (let batch = await spool.read(8_000); batch !== undefined; batch = await spool.read(8_000)) {
      world.store(batch.name, idsOf(batch).join(","));
      await spool.commit(batch);
    }
    const stored = [...world.stored.values()].flatMap((ids) => ids.split(","));
    expect(world.acknowledged.size).toBeGreaterThan(KILLS * 10);
    const kept = new Set(stored);
    expect([...world.acknowledged].filter((id) => !kept.has(id))).toEqual([]);
    expect(stored).toHaveLength(kept.size);
    expect(directory.errors).toEqual([]);
  },
  KILLS * 3_000,
);

/** What a machine that lost its power may leave behind the last record. */
async function tearNewestSegment(path: string): Promise<void> {
  const newest = (await readdir(path))
    .filter((name) => name.endsWith(".wal"))
    .toSorted()
    .at(-1);
  if (newest !== undefined) await appendFile(join(path, newest), Buffer.alloc(777, 0x52));
}
