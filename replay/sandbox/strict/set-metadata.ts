import { chmodSync, closeSync, constants, openSync, readlinkSync, utimesSync } from "node:fs";
import type { WaitingCall } from "./decide-syscall.ts";
import { isBeneath } from "./path-rules.ts";
import type { SyscallName } from "./syscall-numbers.ts";
import type { TracedProcess } from "./traced-process.ts";

export type MetadataSetting =
  | { readonly outcome: "done"; readonly errno: number }
  | { readonly outcome: "outside"; readonly path: string };

const O_PATH = 0o10000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const MODE_BITS = 0o777;
/** `UTIME_NOW` and `UTIME_OMIT`, in the nanoseconds. */
const UTIME_SPECIAL = new Set([0x3fffffffn, 0x3ffffffen]);
const AT_FDCWD = -100;

/**
 * Sets a file's mode or times in the process's stead. Landlock does not cover them, and letting the call go on after a
 * look at its path would be a race the process could win; here the file that was looked at is the one that is changed.
 */
export function setMetadata(
  name: SyscallName,
  { pid, arguments: args }: WaitingCall,
  { process, write }: { readonly process: TracedProcess; readonly write: readonly string[] },
): MetadataSetting {
  const place = placeOf(name, args);
  const given =
    place.address === 0n || place.address === undefined
      ? `/proc/${pid}/fd/${place.directory}`
      : process.path(place.directory, place.address);
  let pinned: number;
  try {
    pinned = openSync(given, O_PATH | (place.follow ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    return { outcome: "done", errno: errnoOf(error) };
  }
  try {
    const own = `/proc/self/fd/${pinned}`;
    const path = readlinkSync(own);
    if (!isBeneath(path, write)) return { outcome: "outside", path };
    apply(name, own, args, process);
    return { outcome: "done", errno: 0 };
  } catch (error) {
    return { outcome: "done", errno: errnoOf(error) };
  } finally {
    closeSync(pinned);
  }
}

interface Place {
  readonly directory: number;
  /** `undefined`: the descriptor itself. */
  readonly address?: bigint;
  readonly follow: boolean;
}

function placeOf(name: SyscallName, args: readonly bigint[]): Place {
  const [first = 0n, second = 0n, , fourth = 0n] = args;
  const descriptor = Number(BigInt.asIntN(32, first));
  if (name === "fchmod") return { directory: descriptor, follow: true };
  if (name === "fchmodat") return { directory: descriptor, address: second, follow: true };
  if (name !== "utimensat") return { directory: AT_FDCWD, address: first, follow: true };
  return { directory: descriptor, address: second, follow: (Number(fourth) & AT_SYMLINK_NOFOLLOW) === 0 };
}

function apply(name: SyscallName, path: string, args: readonly bigint[], process: TracedProcess): void {
  const [, second = 0n, third = 0n] = args;
  if (name === "chmod" || name === "fchmod") return chmodSync(path, Number(second) & MODE_BITS);
  if (name === "fchmodat") return chmodSync(path, Number(third) & MODE_BITS);
  const now = new Date();
  if (name !== "utimensat") return utimesSync(path, now, now);
  const times = process.bytes(third, 32);
  const [accessed, modified] = [timeAt(times, 0), timeAt(times, 16)];
  utimesSync(path, accessed ?? now, modified ?? now);
}

/** `struct timespec`; `undefined` for the present. */
function timeAt(times: Buffer, at: number): number | undefined {
  if (times.length < at + 16) return undefined;
  const nanoseconds = times.readBigInt64LE(at + 8);
  return UTIME_SPECIAL.has(nanoseconds) ? undefined : Number(times.readBigInt64LE(at)) + Number(nanoseconds) / 1e9;
}

const EIO = 5;

/** Node tells the number with its sign turned. */
const errnoOf = (error: unknown): number => Math.abs((error as NodeJS.ErrnoException).errno ?? EIO);
