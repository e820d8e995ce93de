/** System calls from JavaScript, through `node:ffi`. Only the launcher and the supervisor import this. */
import { dlopen, getInt32, getRawPointer } from "node:ffi";
import { isKnownMachine, type Machine, type SyscallName, syscallNumber } from "./syscall-numbers.ts";

const { functions } = dlopen(null, {
  syscall: { arguments: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], return: "i64" },
  __errno_location: { arguments: [], return: "pointer" },
});

/** A system call that failed. */
export class SyscallError extends Error {
  readonly errno: number;
  constructor(name: SyscallName, errno: number) {
    super(`${name} failed with errno ${errno}`);
    this.name = "SyscallError";
    this.errno = errno;
  }
}

export const machine: Machine = ((): Machine => {
  if (isKnownMachine(process.arch)) return process.arch;
  throw new Error(`system calls of ${process.arch} are not known here`);
})();

type Argument = number | bigint | Uint8Array;

/** Makes a system call; a buffer stands for its address. Throws `SyscallError` when it fails. */
export function systemCall(name: SyscallName, ...given: readonly Argument[]): number {
  const number = syscallNumber(name, machine);
  if (number === undefined) throw new SyscallError(name, 38);
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = given.map(asInteger);
  const result = functions.syscall(BigInt(number), a, b, c, d, e, f);
  // oxlint-disable-next-line no-underscore-dangle -- the C library calls it so
  if (result === -1n) throw new SyscallError(name, getInt32(functions.__errno_location()));
  return Number(result);
}

function asInteger(argument: Argument): bigint {
  if (typeof argument === "bigint") return argument;
  return typeof argument === "number" ? BigInt(argument) : addressOf(argument);
}

export const addressOf = (bytes: Uint8Array): bigint => getRawPointer(bytes);

// The collector does not see that the kernel, or another buffer, holds an address.
const kept: Buffer[] = [];

/** Memory that neither moves nor goes while the process lives; a process makes a handful of calls with it. */
export function stableBytes(size: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(size));
  kept.push(bytes);
  return bytes;
}

export function stableCopy(bytes: Uint8Array): Buffer {
  const copy = stableBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A text as C wants it. */
export const cString = (text: string): Buffer => stableCopy(Buffer.from(`${text}\0`));
