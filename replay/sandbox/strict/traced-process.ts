import { closeSync, openSync, readlinkSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** The process behind the wall, as its supervisor sees it through /proc. It cannot lie there about its memory. */
export interface TracedProcess {
  /** The text a pointer points at, up to a page; `""` when it cannot be read. */
  text(address: bigint): string;
  bytes(address: bigint, length: number): Buffer;
  /** The absolute path of a path argument, with links followed in all but the last part. */
  path(directory: number, address: bigint): string;
  /** What an open file descriptor stands for. */
  descriptor(fd: number): string;
  /** Its threads count as itself. */
  isOwnThread(id: number): boolean;
}

const AT_FDCWD = -100;
const MAX_PATH_BYTES = 4_096;
const PAGE_BYTES = 4_096n;

export function tracedProcess(pid: number): TracedProcess {
  const bytes = (address: bigint, length: number): Buffer => readMemory(pid, address, length);
  const text = (address: bigint): string => {
    // The rest of the page first: what follows it may not be mapped.
    const first = Number(PAGE_BYTES - (address % PAGE_BYTES));
    const head = bytes(address, first);
    const whole = head.includes(0)
      ? head
      : Buffer.concat([head, bytes(address + BigInt(first), MAX_PATH_BYTES - first)]);
    const end = whole.indexOf(0);
    return whole.subarray(0, end < 0 ? whole.length : end).toString("utf8");
  };
  const descriptor = (fd: number): string => link(`/proc/${pid}/fd/${fd}`);
  return {
    text,
    bytes,
    descriptor,
    path(directory, address) {
      const base = directory === AT_FDCWD ? link(`/proc/${pid}/cwd`) : descriptor(directory);
      return canonical(ownProc(pid, resolve(base, text(address))));
    },
    isOwnThread: (id) => id === pid || link(`/proc/${pid}/task/${id}/cwd`) !== "",
  };
}

/** Where a path leads. The last part need not exist, and is followed when it does. */
function canonical(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return canonicalParent(path);
  }
}

function canonicalParent(path: string): string {
  try {
    return join(realpathSync.native(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** `/proc/self` is another process for whoever looks. */
const ownProc = (pid: number, path: string): string =>
  path.replace(/^\/proc\/(self|thread-self)(?=\/|$)/, `/proc/${pid}`);

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function readMemory(pid: number, address: bigint, length: number): Buffer {
  if (length <= 0 || address === 0n) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  try {
    const fd = openSync(`/proc/${pid}/mem`, "r");
    try {
      return buffer.subarray(0, readSync(fd, buffer, 0, length, address));
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}
