import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ForwardStats } from "./forward.ts";
import { largeTrace } from "./testing/bodies.ts";
import type { ForwardingSettings } from "./testing/forwarding-collector.ts";

const LONG = process.env["RUNPROOF_LONG_TESTS"] === "1";
const KILLS = LONG ? 60 : 3;
const OUTAGE_MILLIS = LONG ? 120_000 : 2_500;
const WITHIN = { timeout: 90_000, interval: 50 };
const PROTOCOLS = ["http/protobuf", "grpc"] as const;

let directory: string;
const children = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "runproof-forward-"));
});
afterEach(async () => {
  for (const child of children) await kill(child);
  await rm(directory, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(file: string, ...args: readonly string[]): Promise<Started> {
  const path = fileURLToPath(new URL(`testing/${file}`, import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", path, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  children.add(child);
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return { child, port };
}

const startCollector = (settings: Partial<ForwardingSettings>): Promise<Started> =>
  start("forwarding-process.ts", JSON.stringify({ directory, ...settings }));

async function statsOf({ child }: Started): Promise<ForwardStats> {
  const answer = once(child, "message") as Promise<[{ stats: ForwardStats }]>;
  child.send("stats");
  return (await answer)[0].stats;
}

/** A downstream that may be killed; `received` is what it took over all its lives. */
async function startDownstream(protocol: string, received: string[], port = 0): Promise<Started> {
  const started = await start("downstream-process.ts", protocol, String(port));
  started.child.on("message", ({ names }: { names: string[] }) => void received.push(...names));
  return started;
}

/** `true` when it was acknowledged. */
async function post(port: number, name: string, bytes: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: Buffer.from(largeTrace(name, bytes)),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

const drained = (collector: Started): Promise<void> =>
  vi.waitFor(async () => expect((await statsOf(collector)).backlog.bodies.bytes).toBe(0), WITHIN);

describe.each(PROTOCOLS)("over %s", (protocol) => {
  it(
    `everything acknowledged arrives, through ${KILLS} kills of the sender`,
    async () => {
      const received: string[] = [];
      const downstream = await startDownstream(protocol, received);
      const endpoint = `http://127.0.0.1:${downstream.port}`;
      const settings = { endpoint, segmentBytes: 100_000, batchBytes: 20_000, config: { forwardProtocol: protocol } };
      const acknowledged: string[] = [];
      const sent = new Set<string>();
      for (let life = 0; life < KILLS; life++) {
        const collector = await startCollector(settings);
        const lifeTime = sleep(100 + Math.random() * 500).then(() => kill(collector.child));
        const senders = Array.from({ length: 4 }, async (_, sender) => {
          for (let at = 0; collector.child.signalCode === null; at++) {
            const name = `${life}-${sender}-${at}`;
            sent.add(name);
            if (await post(collector.port, name, 2_000)) acknowledged.push(name);
            else break;
          }
        });
        await Promise.all([lifeTime, ...senders]);
      }
      const last = await startCollector(settings);
      await drained(last);
      const arrived = new Set(received);
      expect(acknowledged.length).toBeGreaterThan(KILLS * 5);
      expect(acknowledged.filter((name) => !arrived.has(name))).toEqual([]);
      expect(received.filter((name) => !sent.has(name))).toEqual([]);
      // Only what was under way at a kill may come twice: at most two requests, and those that waited for a commit.
      expect(received.length - arrived.size).toBeLessThan(received.length / 2);
    },
    60_000 + KILLS * 12_000,
  );

  it(
    "a dead other side costs what does not fit, to the record, and nothing else",
    async () => {
      const received: string[] = [];
      const first = await startDownstream(protocol, received);
      const endpoint = `http://127.0.0.1:${first.port}`;
      const config = { forwardProtocol: protocol, forwardMaxBytes: 4 * 1_048_576 };
      const collector = await startCollector({ endpoint, config, batchBytes: 500_000 });
      let acknowledged = 0;
      const load = async (name: string, millis: number, atLeast = 0): Promise<void> => {
        for (let at = 0, end = Date.now() + millis; Date.now() < end || at < atLeast; at++) {
          if (await post(collector.port, `${name}${at}`, 20_000)) acknowledged++;
        }
      };
      await load("calm", 300);
      await drained(collector);
      expect((await statsOf(collector)).traces).toMatchObject({ sent: { records: acknowledged }, lost: {} });
      await kill(first.child);
      // About twice what fits, however slow the machine is.
      await load("away", OUTAGE_MILLIS, 450);
      const during = await statsOf(collector);
      expect(during.backlog.bodies.bytes).toBeLessThan(4 * 1_048_576 + 3_000_000);
      await startDownstream(protocol, received, first.port);
      await load("back", 300);
      await drained(collector);
      const { sent, lost, rejected } = (await statsOf(collector)).traces;
      expect(Object.keys(lost)).toEqual(["backlog_full"]);
      expect(sent.records + lost["backlog_full"]!.records).toBe(acknowledged);
      expect(rejected).toBe(0);
      expect(new Set(received).size).toBeGreaterThanOrEqual(sent.records);
    },
    OUTAGE_MILLIS + 180_000,
  );
});

describe("without the package that gRPC needs", () => {
  it("the start says what to install", async () => {
    const script = `
      import { registerHooks } from "node:module";
      registerHooks({
        resolve(specifier, context, next) {
          if (specifier === "@grpc/grpc-js") throw new Error("Cannot find package");
          return next(specifier, context);
        },
      });
      const { createGrpcSender } = await import(${JSON.stringify(new URL("grpc-sender.ts", import.meta.url).href)});
      const options = { endpoint: new URL("http://127.0.0.1:1"), headers: {}, timeoutMillis: 1 };
      await createGrpcSender(options).catch((error) => console.log(error.code, error.message));`;
    const child = spawn(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      script,
    ]);
    children.add(child);
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    await once(child, "close");
    expect(output).toMatch(/^RUNPROOF_MISSING_PACKAGE .*npm install @grpc\/grpc-js/);
  });
});
