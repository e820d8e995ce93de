import child from "node:child_process";
import cluster from "node:cluster";
import { writeFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { promisify } from "node:util";
import vm from "node:vm";
import { WASI } from "node:wasi";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { type Escape, type EscapeTarget, eventOf, HOST } from "./escape.ts";

const TOUCH = "touch";

/** What a program outside would leave, as a line for a shell. */
const touch = ({ outside }: EscapeTarget): string => `${TOUCH} ${outside}`;

async function exitOf(started: child.ChildProcess): Promise<void> {
  const code = await eventOf(started, "exit");
  if (code !== 0) throw new Error(`exit code ${String(code)}`);
}

/** A thread that reports its error to nobody but its own `error` event. */
async function inThread(code: string, options: WorkerOptions = {}): Promise<void> {
  const worker = new Worker(code, { eval: true, ...options });
  try {
    await eventOf(worker, "message");
  } finally {
    await worker.terminate();
  }
}

const CONNECT = (port: number): string => `
  const { parentPort } = require("node:worker_threads");
  const socket = require("node:net").connect(${port}, "${HOST}", () => parentPort.postMessage("out"));
  socket.on("error", (error) => { throw error; });`;

const WITHOUT_FLAGS: WorkerOptions = { execArgv: [], env: {} };

function rawSpawn(): void {
  const binding = (process as unknown as { binding(name: string): unknown }).binding("spawn_sync") as {
    spawn(options: object): { error?: number };
  };
  const { error } = binding.spawn({
    file: "/bin/true",
    args: ["true"],
    stdio: [{ type: "ignore" }, { type: "ignore" }, { type: "ignore" }],
    envPairs: [],
  });
  if (error !== undefined) throw new Error(`spawn answered ${error}`);
}

/** `(module (import "e" "f" (func)) (start 0))`: runs what it is given as soon as it is there. */
const STARTS_IMPORT = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x65, 1, 0x66, 0, 0, 8, 1, 0,
]);

/** Types of it come with those of browsers only. */
function instantiate(code: Uint8Array, imports: object): Promise<unknown> {
  const { WebAssembly: engine } = globalThis as unknown as {
    WebAssembly: { instantiate(code: Uint8Array, imports: object): Promise<unknown> };
  };
  return engine.instantiate(code, imports);
}

export const PROCESS_ESCAPES: Readonly<Record<string, Escape>> = {
  "child_process.spawn": ({ outside }) => exitOf(child.spawn(TOUCH, [outside])),
  "child_process.spawn detached": ({ outside }) => exitOf(child.spawn(TOUCH, [outside], { detached: true })),
  "child_process.spawn with a shell": (target) => exitOf(child.spawn(touch(target), { shell: true })),
  "child_process.exec": (target) => promisify(child.exec)(touch(target)),
  "child_process.execFile": ({ outside }) => promisify(child.execFile)(TOUCH, [outside]),
  "child_process.fork": () => exitOf(child.fork("x.js")),
  "child_process.spawnSync": ({ outside }) => {
    const { error } = child.spawnSync(TOUCH, [outside]);
    if (error !== undefined) throw error;
  },
  "child_process.execSync": (target) => child.execSync(touch(target)),
  "child_process.execFileSync": ({ outside }) => child.execFileSync(TOUCH, [outside]),
  "cluster.fork": () => eventOf(cluster.fork(), "online"),
  "process.binding spawn_sync": rawSpawn,
  "process.execve": ({ outside }) => process.execve?.("/usr/bin/touch", ["touch", outside], {}),
  "worker thread that connects": ({ witness }) => inThread(CONNECT(witness.tcpPort)),
  "worker thread without flags that connects": ({ witness }) => inThread(CONNECT(witness.tcpPort), WITHOUT_FLAGS),
  "worker thread without flags that spawns": ({ outside }) =>
    inThread(
      `require("node:child_process").execFileSync("touch", [${JSON.stringify(outside)}]);
       require("node:worker_threads").parentPort.postMessage("out");`,
      WITHOUT_FLAGS,
    ),
  "worker thread without flags that writes": ({ outside }) =>
    inThread(
      `require("node:fs").writeFileSync(${JSON.stringify(outside)}, "x");
       require("node:worker_threads").parentPort.postMessage("out");`,
      WITHOUT_FLAGS,
    ),
  "vm context": ({ outside }) => {
    const code = `process.getBuiltinModule("node:child_process").execFileSync("touch", [outside])`;
    return vm.runInNewContext(code, { process, outside });
  },
  WebAssembly: ({ outside }) => instantiate(STARTS_IMPORT, { e: { f: () => writeFileSync(outside, "x") } }),
  WASI: ({ witness }) => new WASI({ version: "preview1", preopens: { "/": witness.folder } }),
  "process.kill of the witness": ({ witness }) => process.kill(witness.processId, "SIGWINCH"),
  "process.kill to ask": ({ witness }) => process.kill(witness.processId, 0),
  "process.kill of the parent": () => process.kill(process.ppid, "SIGWINCH"),
  "process.kill of the group": () => process.kill(0, "SIGWINCH"),
  "process._debugProcess": () =>
    // oxlint-disable-next-line no-underscore-dangle -- Node calls it so
    (process as unknown as { _debugProcess(pid: number): void })._debugProcess(process.ppid),
  "os.setPriority": () => os.setPriority(process.ppid, 5),
};
