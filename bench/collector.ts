import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createStore, type Store } from "../processor/clickhouse/store.ts";
import { childrenOf, cpuSeconds, residentMiB } from "./processes.ts";

export interface CollectorOptions {
  /** Beside this file: a program that prints the lines of `runproof serve` when it accepts connections. */
  readonly script: string;
  readonly args: readonly string[];
  /** For the runtime, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A collector in a process of its own, with the engine it started. */
export interface Collector {
  readonly httpUrl: string;
  readonly grpcUrl: string;
  readonly clickhouseUrl: string;
  readonly pid: number;
  /** Reads what is stored. */
  readonly store: Store;
  enginePid(): number | undefined;
  /** Of both processes. */
  cpuSeconds(): number;
  engineCpuSeconds(): number;
  /** MiB. */
  resident(): { readonly service: number; readonly engine: number };
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
}

const STOP_MILLIS = 60_000;

const here = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Rejects when it ends before it is ready. */
export async function startCollector({ script, args, nodeArgs = [], env = {} }: CollectorOptions): Promise<Collector> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...nodeArgs, here(script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  // A benchmark that fails leaves no service behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const ready = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (/ data {2,}/.test(text)) resolve(text);
    });
    void exited.then(() => reject(new Error(`${script} ended before it was ready`)));
  });
  const urlOf = (name: string): string => new RegExp(`${name}\\s+(\\S+)`).exec(ready)?.[1] ?? "";
  const pid = child.pid ?? 0;
  const enginePid = (): number | undefined => childrenOf(pid)[0];
  const store = createStore({ url: urlOf("ClickHouse") });
  return {
    httpUrl: urlOf("OTLP/HTTP"),
    grpcUrl: urlOf("OTLP/gRPC"),
    clickhouseUrl: urlOf("ClickHouse"),
    pid,
    store,
    enginePid,
    cpuSeconds: () => cpuSeconds(pid) + cpuSeconds(enginePid() ?? 0),
    engineCpuSeconds: () => cpuSeconds(enginePid() ?? 0),
    resident: () => ({ service: residentMiB(pid), engine: residentMiB(enginePid() ?? 0) }),
    async stop() {
      await store.close();
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS);
      await exited;
      clearTimeout(late);
    },
  };
}

/** The service as its users start it, on free ports. */
export const startService = (
  dataDirectory: string,
  options: Partial<Omit<CollectorOptions, "script" | "args">> = {},
): Promise<Collector> => {
  const ports = ["--port", "0", "--grpc-port", "0", "--clickhouse-port", "0", "--admin-port", "0"];
  return startCollector({
    ...options,
    script: "../replay/cli.ts",
    args: ["serve", ...ports, "--data-dir", dataDirectory],
  });
};

/** Runs a program beside this file with JSON for its argument, and gives the JSON it prints. */
export async function runProgram<Result>(script: string, options: object): Promise<Result> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", here(script), JSON.stringify(options)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const text = Buffer.concat(await child.stdout.toArray()).toString();
  if (text === "") throw new Error(`${script} ended without a result`);
  return JSON.parse(text) as Result;
}

/** Calls it until it says `true`, or gives `false` after `millis`. */
export async function until(condition: () => Promise<boolean>, millis: number, every = 50): Promise<boolean> {
  const deadline = performance.now() + millis;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  return true;
}
