/**
 * The layer inside the agent's process. It gives refused operations a meaning: a typed error, and an entry in the ledger
 * with host, path or command and the tool it happened in. It keeps nobody in: the wall below does, and tells of what
 * went past this layer.
 */
import child from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns";
import { createRequire, syncBuiltinESMExports } from "node:module";
import inspector from "node:inspector";
import net from "node:net";
import process from "node:process";
import { setRefusedTrafficListener } from "../../../instrumentation/capture/refused-traffic.ts";
import { currentScope } from "../../../instrumentation/run/run-scope.ts";
import { type Attempt, attemptTarget } from "./attempt.ts";
import { StrictBlockedError } from "./strict-blocked-error.ts";

export interface GuardOptions {
  readonly report: (attempt: Attempt) => void;
  /** Native libraries may be loaded; what they do meets the wall. */
  readonly native: boolean;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Blocked = Pick<Attempt, "kind" | "operation" | "target"> & { readonly counts?: boolean };
type Block = (blocked: Blocked) => StrictBlockedError;

export function installGuard({ report, native }: GuardOptions): void {
  const block: Block = ({ kind, operation, target, counts = true }) => {
    const path = currentScope()?.path ?? "";
    const cut = attemptTarget(target);
    const callPath = path === "" ? {} : { callPath: path.slice(0, 1_000) };
    report({ layer: "code", kind, operation, target: cut, counts, ...callPath });
    return new StrictBlockedError({ operation, target: cut, callPath: path === "" ? null : path });
  };
  guardSockets(block);
  guardDatagrams(block);
  guardNames(block);
  guardProcesses(block);
  if (!native) guardNative(block);
  // What HTTP's own layer keeps in never gets as far as a socket.
  setRefusedTrafficListener(({ method, url, isTelemetry }) => {
    block({ kind: "network", operation: `http ${method}`, target: url, counts: !isTelemetry });
  });
  syncBuiltinESMExports();
}

function replace(holder: object, name: string, method: Method): void {
  if (typeof Reflect.get(holder, name) === "function") Reflect.set(holder, name, method);
}

function guardSockets(block: Block): void {
  replace(net.Socket.prototype, "connect", function (this: unknown, ...args) {
    const socket = this as net.Socket & { connecting: boolean };
    // Else whoever asks would take it for connected until the error comes.
    socket.connecting = true;
    const error = block({ kind: "network", operation: "net.connect", target: addressText(args) });
    globalThis.process.nextTick(() => socket.destroy(error));
    return socket;
  });
  replace(net.Server.prototype, "listen", function (this: unknown, ...args) {
    const server = this as net.Server;
    const error = block({ kind: "network", operation: "net.listen", target: addressText(args) });
    globalThis.process.nextTick(() => server.emit("error", error));
    return server;
  });
  replace(inspector, "open", (...args) => {
    throw block({ kind: "network", operation: "inspector.open", target: args.map(String).join(":") });
  });
}

/** `connect(port, host)`, `connect(path)`, `connect(options)`, or the array that Node makes of them. */
function addressText(args: readonly unknown[]): string {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === "object" && first !== null) {
    const { path, host, port } = first as { path?: unknown; host?: unknown; port?: unknown };
    return typeof path === "string" ? path : `${textOf(host ?? "localhost")}:${textOf(port)}`;
  }
  return typeof first === "string" && !/^\d+$/.test(first)
    ? first
    : `${typeof second === "string" ? second : "localhost"}:${textOf(first)}`;
}

const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : typeof value;

function guardDatagrams(block: Block): void {
  for (const name of ["bind", "send", "connect"]) {
    replace(dgram.Socket.prototype, name, function (this: unknown, ...args) {
      const target = args.filter((it) => typeof it === "string" || typeof it === "number").join(" ");
      const error = block({ kind: "network", operation: `dgram.${name}`, target });
      const callback = args.at(-1);
      globalThis.process.nextTick(() =>
        typeof callback === "function" && name === "send"
          ? (callback as (error: Error) => void)(error)
          : (this as dgram.Socket).emit("error", error),
      );
      return this;
    });
  }
}

const NAME_FUNCTION = /^(resolve|lookup|reverse)/;

function guardNames(block: Block): void {
  const blocked = (name: string, args: readonly unknown[]): StrictBlockedError =>
    block({ kind: "network", operation: `dns.${name}`, target: textOf(args[0]) });
  for (const holder of [dns, dns.Resolver.prototype]) {
    for (const name of functionNames(holder).filter((it) => NAME_FUNCTION.test(it))) {
      replace(holder, name, (...args) => {
        const error = blocked(name, args);
        const callback = args.at(-1);
        if (typeof callback !== "function") throw error;
        globalThis.process.nextTick(callback as (error: Error) => void, error);
        return undefined;
      });
    }
  }
  for (const holder of [dns.promises, dns.promises.Resolver.prototype]) {
    for (const name of functionNames(holder).filter((it) => NAME_FUNCTION.test(it))) {
      replace(holder, name, (...args) => Promise.reject(blocked(name, args)));
    }
  }
}

/** Own ones and, for a class, those it has from the class it extends. */
function functionNames(holder: object): string[] {
  const parent = Object.getPrototypeOf(holder) as object | null;
  const inherited = parent === null || parent === Object.prototype ? [] : functionNames(parent);
  return [...new Set([...Object.getOwnPropertyNames(holder), ...inherited])];
}

function guardProcesses(block: Block): void {
  replace(child.ChildProcess.prototype, "spawn", (options) => {
    const { file, args } = (options ?? {}) as { file?: unknown; args?: unknown };
    const words = Array.isArray(args) && args.length > 0 ? (args as unknown[]) : [file];
    throw block({ kind: "process", operation: "child_process.spawn", target: words.map(String).join(" ") });
  });
  for (const name of ["spawnSync", "execSync", "execFileSync"]) {
    replace(child, name, (file, args) => {
      const words = [file, ...(Array.isArray(args) ? (args as unknown[]) : [])];
      throw block({ kind: "process", operation: `child_process.${name}`, target: words.map(String).join(" ") });
    });
  }
  const kill = process.kill.bind(process);
  replace(process, "kill", (pid, signal) => {
    if (pid === process.pid) return kill(pid, signal as NodeJS.Signals | number);
    throw block({ kind: "signal", operation: "process.kill", target: `process ${String(pid)}` });
  });
  replace(process, "execve", (file) => {
    throw block({ kind: "process", operation: "process.execve", target: String(file) });
  });
}

function guardNative(block: Block): void {
  replace(process, "dlopen", (_module, file) => {
    throw block({ kind: "native", operation: "process.dlopen", target: String(file), counts: false });
  });
  for (const name of ["dlopen", "DynamicLibrary"]) {
    const ffi = foreignFunctions();
    // A function, not an arrow: it is also called with `new`.
    if (ffi !== undefined)
      replace(ffi, name, function (file) {
        throw block({ kind: "native", operation: `ffi.${name}`, target: String(file), counts: false });
      });
  }
}

/** Node 26 only; older ones have no such module. */
function foreignFunctions(): object | undefined {
  try {
    return createRequire(import.meta.url)("node:ffi") as object;
  } catch {
    return undefined;
  }
}
