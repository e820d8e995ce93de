import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRunReader, type RunReader } from "../clickhouse/run-reader.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { freePort } from "./free-port.ts";
import { loadServiceConfig } from "../config.ts";
import { startService, type Service, type ServiceOptions } from "../service.ts";

/** A real service in a folder of its own, which agents of this test report to. It can be stopped and started again. */
export interface ServiceFixture {
  readonly directory: string;
  /** Where agents send to, whether or not the service is there. */
  readonly otlpUrl: string;
  start(options?: ServiceOptions): Promise<Service>;
  stop(): Promise<void>;
  /** Spawns an agent, and resolves once its `startRun()` returned. */
  agent(what: string, argument?: string, env?: Record<string, string>): Promise<TestAgent>;
  /** As any reader has it: without a password. Valid while the service is up. */
  reader(): Store & RunReader;
  close(): Promise<void>;
}

export interface TestAgent {
  readonly runId: string;
  readonly process: ChildProcess;
  /** Exit code, `null` when it was killed. */
  readonly ended: Promise<number | null>;
  /** SIGKILL, at once; resolves when it is gone. */
  kill(): Promise<void>;
}

const AGENT = fileURLToPath(new URL("agents/service-agent.ts", import.meta.url));

export async function createServiceFixture(settings: Readonly<Record<string, unknown>> = {}): Promise<ServiceFixture> {
  const directory = await mkdtemp(join(tmpdir(), "runproof-service-"));
  const otlpPort = await freePort();
  const otlpUrl = `http://127.0.0.1:${otlpPort}`;
  const flags = {
    otlpPort,
    otlpGrpcPort: 0,
    clickhousePort: 0,
    adminPort: 0,
    dataDirectory: join(directory, "data"),
    ...settings,
  };
  const agents = new Set<ChildProcess>();
  let service: Service | undefined;
  let readerStore: Store | undefined;

  async function stop(): Promise<void> {
    await readerStore?.close();
    readerStore = undefined;
    await service?.shutdown();
    service = undefined;
  }

  return {
    directory,
    otlpUrl,
    async start(options = {}) {
      return (service = await startService(loadServiceConfig({}, flags), options));
    },
    stop,
    async agent(what, argument = "", env = {}) {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", AGENT, what, argument], {
        env: {
          PATH: process.env["PATH"],
          RUNPROOF_ENDPOINT: otlpUrl,
          RUNPROOF_STATE_DIR: join(directory, "state"),
          // Half of an agent's start is compiling the same modules again.
          NODE_COMPILE_CACHE: join(directory, "compile-cache"),
          ...env,
        },
        stdio: ["pipe", "pipe", "inherit"],
      });
      agents.add(child);
      return await startedAgent(child);
    },
    reader() {
      if (service === undefined) throw new Error("the service is not up");
      const store = (readerStore ??= createStore({ url: service.clickhouseUrl }));
      return { ...store, ...createRunReader(store) };
    },
    async close() {
      for (const child of agents) child.kill("SIGKILL");
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startedAgent(child: ChildProcess): Promise<TestAgent> {
  const ended = once(child, "exit").then(([code]) => code as number | null);
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, runId] = /^started (\S+)$/.exec(line) ?? [];
    if (runId === undefined) continue;
    child.stdout!.resume();
    return {
      runId,
      process: child,
      ended,
      async kill() {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }
  throw new Error(`the agent ended with ${await ended} before its run started`);
}

/** A folder for one agent's work. */
export async function workFolder(fixture: ServiceFixture, name: string): Promise<string> {
  const folder = join(fixture.directory, name);
  await mkdir(folder);
  return folder;
}
