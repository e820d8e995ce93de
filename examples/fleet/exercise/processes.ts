import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./place.ts";

/** What a command line said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const cli = (place: Place): string => join(place.repository, "replay", "cli.ts");

/** Only what these programs need: nothing of the machine's own settings reaches an exercise. */
const environment = (place: Place, storeUrl: string): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: place.directory,
  RUNPROOF_STATE_DIR: join(place.directory, "state"),
  RUNPROOF_ENDPOINT: `http://127.0.0.1:${place.ports.otlp}`,
  RUNPROOF_OPERATIONS_URL: `http://127.0.0.1:${place.ports.admin}`,
  RUNPROOF_CLICKHOUSE_URL: storeUrl,
  NODE_COMPILE_CACHE: join(place.directory, "compile-cache"),
});

export interface Programs {
  /** `runproof …` to its end. */
  runproof(args: readonly string[], cwd: string): Promise<Said>;
  node(args: readonly string[], cwd: string): Promise<Said>;
  /** `runproof serve`, until it accepts. */
  startCollector(): Promise<void>;
  /** SIGKILL, as a machine that goes away. */
  killCollector(): Promise<void>;
  /** Rounds of the critical tier, one after the other at their time, as a CronJob does. */
  startScheduler(): void;
  stopScheduler(): Promise<void>;
  close(): Promise<void>;
}

export function createPrograms(place: Place, storeUrl: string, everySeconds: number): Programs {
  const env = environment(place, storeUrl);
  let collector: ChildProcess | undefined;
  let cron: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  const node = (args: readonly string[], cwd: string, signal?: AbortSignal): Promise<Said> =>
    said(spawn(process.execPath, ["--no-warnings", ...args], { cwd, env, ...(signal && { signal }) }));

  async function rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = (Math.floor(Date.now() / 1_000 / everySeconds) + 1) * everySeconds * 1_000;
      const args = ["canary", "run", "--tier", "critical", "--data-dir", join(place.directory, "cron")];
      await node([cli(place), ...args], place.repository, signal).catch(() => {});
      await sleep(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => {});
    }
  }

  const programs: Programs = {
    node: (args, cwd) => node(args, cwd),
    runproof: (args, cwd) => node([cli(place), ...args], cwd),
    async startCollector() {
      const { otlp, grpc, admin } = place.ports;
      const ports = ["--port", otlp, "--grpc-port", grpc, "--admin-port", admin].map(String);
      const fixtures = ["--auto-fixtures", join(place.directory, "fixtures"), "--auto-fixtures-per-hour", "100"];
      const args = ["serve", ...ports, "--data-dir", join(place.directory, "data"), "--canary", ...fixtures];
      const settings = {
        RUNPROOF_CLICKHOUSE_SERVER_URL: storeUrl,
        RUNPROOF_MONITOR_INTERVAL_SECONDS: "2",
      };
      collector = spawn(process.execPath, ["--no-warnings", cli(place), ...args], {
        cwd: place.fleet,
        env: { ...env, ...settings },
        stdio: ["ignore", "pipe", "inherit"],
      });
      await ready(collector);
    },
    async killCollector() {
      const killed = collector;
      collector = undefined;
      if (killed === undefined || killed.exitCode !== null) return;
      killed.kill("SIGKILL");
      await once(killed, "exit");
    },
    startScheduler() {
      const abort = new AbortController();
      cron = { abort, ended: rounds(abort.signal) };
    },
    async stopScheduler() {
      cron?.abort.abort();
      await cron?.ended;
      cron = undefined;
    },
    async close() {
      await programs.stopScheduler();
      if (collector === undefined || collector.exitCode !== null) return;
      collector.kill("SIGTERM");
      await once(collector, "exit");
    },
  };
  return programs;
}

async function said(child: ChildProcess): Promise<Said> {
  const [out, err]: Buffer[][] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out?.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err?.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  const text = (chunks: Buffer[] | undefined): string => Buffer.concat(chunks ?? []).toString();
  return { code: code ?? -1, stdout: text(out), stderr: text(err) };
}

async function ready(child: ChildProcess): Promise<void> {
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (!chunk.toString().includes("runproof is ready")) continue;
    child.stdout?.resume();
    return;
  }
  throw new Error(`runproof serve ended with ${child.exitCode}`);
}
