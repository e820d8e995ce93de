/** Past everything of Node: system calls and the C library. For Node 26 and later. */
import { openSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import type * as Ffi from "node:ffi";
import type { Escape } from "./escape.ts";
import { isKnownMachine, syscallNumber, type SyscallName } from "../../../sandbox/strict/syscall-numbers.ts";

type Argument = number | bigint | Uint8Array;

function library() {
  const ffi = createRequire(import.meta.url)("node:ffi") as typeof Ffi;
  const { functions } = ffi.dlopen(null, {
    syscall: { arguments: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], return: "i64" },
    system: { arguments: ["pointer"], return: "i32" },
    getaddrinfo: { arguments: ["pointer", "pointer", "pointer", "pointer"], return: "i32" },
  });
  return { functions, pointer: (bytes: Uint8Array) => ffi.getRawPointer(bytes) };
}

const bytes = (size: number): Buffer => Buffer.from(new ArrayBuffer(size));
const text = (value: string): Buffer => {
  const own = bytes(Buffer.byteLength(value) + 1);
  own.write(value);
  return own;
};

/** Throws when the kernel refuses. */
function rawCall(number: number, ...given: readonly Argument[]): void {
  const { functions, pointer } = library();
  const values = given.map((it) => (typeof it === "object" ? pointer(it) : BigInt(it)));
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = values;
  if (functions.syscall(BigInt(number), a, b, c, d, e, f) < 0n) throw new Error(`call ${number} was refused`);
}

function call(name: SyscallName, ...given: readonly Argument[]): void {
  const number = isKnownMachine(process.arch) ? syscallNumber(name, process.arch) : undefined;
  if (number === undefined) throw new Error(`no ${name} here`);
  rawCall(number, ...given);
}

const STREAM = 1;
const DATAGRAM = 2;
const RAW = 3;
const AT_FDCWD = -100;
const CREATE_AND_WRITE = 0o101;
const SIGWINCH = 28;

/** `struct sockaddr_in` of the witness. */
function address(port: number): Buffer {
  const own = bytes(16);
  own.writeUInt16LE(2, 0);
  own.writeUInt16BE(port, 2);
  own.set([127, 0, 0, 1], 4);
  return own;
}

export const NATIVE_ESCAPES: Readonly<Record<string, Escape>> = {
  "system call socket, TCP": () => call("socket", 2, STREAM, 0),
  "system call socket, UDP over IPv6": () => call("socket", 10, DATAGRAM, 0),
  "system call socket, raw ICMP": () => call("socket", 2, RAW, 1),
  "system call socket, packets": () => call("socket", 17, RAW, 0x0300),
  "system call socket, unix": () => call("socket", 1, STREAM, 0),
  "system call socket, netlink": () => call("socket", 16, RAW, 0),
  "system call socket, to the host of a virtual machine": () => call("socket", 40, STREAM, 0),
  "system call socketpair, datagrams": () => call("socketpair", 1, DATAGRAM, 0, bytes(8)),
  "system call connect on an inherited socket": ({ witness }) => call("connect", 3, address(witness.tcpPort), 16),
  "system call sendto from an inherited socket": ({ witness }) =>
    call("sendto", 1, text("x"), 1, 0, address(witness.udpPort), 16),
  "system call fork": () => call(process.arch === "x64" ? "fork" : "clone", 17),
  "system call clone3": () => {
    const how = bytes(88);
    how.writeBigUInt64LE(17n, 32);
    call("clone3", how, 88);
  },
  "system call execve": () => call("execve", text("/bin/true"), bytes(8), bytes(8)),
  "system call kill": ({ witness }) => call("kill", witness.processId, SIGWINCH),
  "system call tgkill": ({ witness }) => call("tgkill", witness.processId, witness.processId, SIGWINCH),
  "system call pidfd_open": ({ witness }) => call("pidfd_open", witness.processId, 0),
  "system call ptrace": ({ witness }) => call("ptrace", 16, witness.processId, 0, 0),
  "system call process_vm_readv": ({ witness }) =>
    call("process_vm_readv", witness.processId, bytes(16), 1, bytes(16), 1, 0),
  "system call prlimit64 of another": ({ witness }) => call("prlimit64", witness.processId, 7, 0, bytes(16)),
  "system call io_uring_setup": () => call("io_uring_setup", 1, bytes(120)),
  "system call openat to write": ({ outside }) => call("openat", AT_FDCWD, text(outside), CREATE_AND_WRITE, 0o600),
  "system call openat2 to read": ({ secret }) => call("openat2", AT_FDCWD, text(secret), bytes(24), 24),
  "system call linkat": ({ secret }) => call("linkat", AT_FDCWD, text(secret), AT_FDCWD, text("stolen"), 0),
  "system call mount": ({ witness }) => call("mount", text("none"), text(witness.folder), text("tmpfs"), 0, 0),
  "system call unshare": () => call("unshare", 0x10000000),
  "system call setns": () => call("setns", 0, 0),
  "system call open_by_handle_at": () => call("open_by_handle_at", AT_FDCWD, bytes(128), 0),
  "system call shmget": () => call("shmget", 0, 4096, 0o1600),
  "system call mq_open": () => call("mq_open", text("runproof-escape"), 0o102, 0o600, 0),
  "system call bpf": () => call("bpf", 0, bytes(128), 128),
  "system call perf_event_open": () => call("perf_event_open", bytes(128), 0, -1, -1, 0),
  "system call seccomp": () => call("seccomp", 1, 0, bytes(16)),
  "system call prctl to filter again": () => call("prctl", 22, 2, bytes(16)),
  "system call setsid": () => call("setsid"),
  "system call fchownat": ({ secret }) => call("fchownat", AT_FDCWD, text(secret), 1, 1, 0),
  "system call fchmodat2": ({ secret }) => call("fchmodat2", AT_FDCWD, text(secret), 0o600, 0),
  "system call mknodat of a disk": () => call("mknodat", AT_FDCWD, text("disk"), 0o060600, 0xfe00),
  "system call ioctl for flags of a file": () => {
    const flags = bytes(8);
    const file = openSync(process.execPath, "r");
    // Sets what it has: harmless where nothing refuses it.
    call("ioctl", file, 0x80086601, flags);
    call("ioctl", file, 0x40086602, flags);
  },
  "system call keyctl": () => call("keyctl", 0, -3, 1),
  "C library system": ({ outside }) => {
    const { functions, pointer } = library();
    const status = functions.system(pointer(text(`touch ${outside}`)));
    if (status !== 0) throw new Error(`status ${status}`);
  },
  "C library getaddrinfo": () => {
    const { functions, pointer } = library();
    const result = bytes(8);
    const status = functions.getaddrinfo(pointer(text("witness.example")), 0n, 0n, pointer(result));
    if (status !== 0) throw new Error(`status ${status}`);
  },
};
