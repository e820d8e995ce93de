import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ReadyService, ServiceProcessOptions } from "./service-process.ts";

/** One life of the service in a process of its own. */
export interface ServiceChild {
  readonly pid: number;
  /** `undefined` when it ended before it was ready. */
  readonly ready: Promise<ReadyService | undefined>;
  /** Signal or exit code, once all it wrote has been read. */
  readonly ended: Promise<string>;
  /** What it told the operator. */
  log(): string;
  /** Resolves when everything acknowledged is stored. Rejects when it ends before. */
  drain(): Promise<void>;
  /** Resolves when it has printed such a line `count` times from now on. */
  said(line: string, count: number): Promise<void>;
  /** From now on the disk under its spool takes nothing, or takes it again. */
  disk(state: "full" | "free"): void;
  /** Asks it to shut down, see `ended`. */
  stop(): void;
  kill(): void;
}

const ENTRY = fileURLToPath(new URL("service-process.ts", import.meta.url));

export function startServiceChild(options: ServiceProcessOptions): ServiceChild {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ENTRY, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  child.stdin.on("error", () => {});
  const ended = new Promise<string>((resolve) =>
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`)),
  );
  const lines = lineEvents(child);
  return {
    pid: child.pid ?? 0,
    ready: Promise.race([
      lines.next("ready ").then((line) => JSON.parse(line.slice("ready ".length)) as ReadyService),
      ended.then(() => undefined),
    ]),
    ended,
    log: () => log,
    async drain() {
      const drained = lines.next("drained");
      child.stdin.write("drain\n");
      const how = await Promise.race([drained, ended.then((end) => `ended (${end})`)]);
      if (how !== "drained") throw new Error(`the service ${how} while it drained: ${log}`);
    },
    async said(line, count) {
      for (let times = 0; times < count; times++) await Promise.race([lines.next(line), ended]);
    },
    disk: (state) => void child.stdin.write(`disk ${state}\n`),
    stop: () => void child.stdin.write("stop\n"),
    kill: () => void child.kill("SIGKILL"),
  };
}

function lineEvents(child: ChildProcess): { next(prefix: string): Promise<string> } {
  const waiting: { prefix: string; resolve: (line: string) => void }[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const index = waiting.findIndex(({ prefix }) => line.startsWith(prefix));
    if (index >= 0) waiting.splice(index, 1)[0]!.resolve(line);
  });
  return { next: (prefix) => new Promise((resolve) => waiting.push({ prefix, resolve })) };
}
