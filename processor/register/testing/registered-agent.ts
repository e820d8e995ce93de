import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  startCollector,
  type LoopbackCollector,
} from "../../../instrumentation/transport/testing/loopback-collector.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** As built: what `--import runproof/register` loads. */
const REGISTER = join(root, "dist", "processor", "register", "register.js");

export interface AgentEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the line `work is done` on the standard output to the end of the process. */
  readonly exitMillis: number;
}

export interface AgentRun {
  /** Default: with ours. */
  readonly isBare?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Called once the agent has written this. */
  readonly onText?: readonly [text: string, act: (child: ChildProcess) => void];
  readonly node?: readonly string[];
}

/** A folder with an agent's program, and a collector that its runs go to. */
export interface AgentBench {
  readonly folder: string;
  readonly collector: LoopbackCollector;
  write(name: string, source: string): Promise<void>;
  run(name: string, options?: AgentRun): Promise<AgentEnd>;
  remove(): Promise<void>;
}

export async function createAgentBench(): Promise<AgentBench> {
  const folder = await mkdtemp(join(tmpdir(), "runproof-registered-"));
  const collector = await startCollector();
  await writeFile(join(folder, "package.json"), '{ "name": "bench-agent", "private": true }');
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  return {
    folder,
    collector,
    write: (name, source) => writeFile(join(folder, name), source),
    run: (name, options = {}) => runAgent({ folder, url: collector.url, name, ...options }),
    async remove() {
      await collector.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Command extends AgentRun {
  readonly folder: string;
  readonly url: string;
  readonly name: string;
}

async function runAgent(options: Command): Promise<AgentEnd> {
  const { folder, url, name, isBare = false, env = {}, node = [] } = options;
  const args = [...(isBare ? [] : ["--import", REGISTER]), ...node, join(folder, name)];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      RUNPROOF_ENDPOINT: url,
      RUNPROOF_STATE_DIR: join(folder, "state"),
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      ...env,
    },
  });
  const guard = setTimeout(() => child.kill("SIGKILL"), 50_000);
  let [stdout, stderr, doneAt] = ["", "", 0];
  let onText = options.onText;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (text.includes("work is done")) doneAt = performance.now();
    if (onText === undefined || !stdout.includes(onText[0])) return;
    onText[1](child);
    onText = undefined;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return await new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(guard);
      resolve({ code, signal, stdout, stderr, exitMillis: performance.now() - doneAt });
    });
  });
}

type Sent = LoopbackCollector["spans"][number];

/** An attribute's plain value. */
export const attributeOf = (span: Sent | undefined, name: string): unknown =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {})[0];

export const namesOf = (collector: LoopbackCollector): string[] => collector.spans.map(({ name }) => name).toSorted();
