import { type Attempt, attemptTarget, CANARY_OVER_PATH } from "./attempt.ts";
import type { SyscallName } from "./syscall-numbers.ts";
import { refusedKind, SYSCALL_RULES } from "./syscall-policy.ts";
import { isBeneath, isOutsideRead, isOutsideWrite, type PathRules } from "./path-rules.ts";
import { setMetadata } from "./set-metadata.ts";
import type { TracedProcess } from "./traced-process.ts";

/** A system call that waits for an answer. */
export interface WaitingCall {
  readonly name: SyscallName | undefined;
  readonly number: number;
  readonly pid: number;
  readonly arguments: readonly bigint[];
}

export interface Decision {
  /** `go_on`: the kernel carries the call out, with the walls that are below. Else it ends with `errno`, 0 for done. */
  readonly answer: "go_on" | { readonly errno: number };
  readonly attempt?: Attempt;
  readonly canaryIsOver?: true;
}

export interface DecisionContext {
  readonly process: TracedProcess;
  readonly rules: PathRules;
  /** The runtime was executed: the one program there is. */
  readonly executed: boolean;
}

export const EPERM = 1;
const ENOSYS = 38;
const AT_FDCWD = -100;
const CLONE_THREAD = 0x10000n;
const GO_ON: Decision = { answer: "go_on" };

/** What becomes of a call, and what the ledger says of it. Nothing that decides about safety trusts memory twice. */
export function decideSyscall(call: WaitingCall, context: DecisionContext): Decision {
  const { name } = call;
  const rule = name === undefined ? undefined : SYSCALL_RULES.get(name);
  if (name === undefined || rule === undefined) return refuse(call, "kernel", `call ${call.number}`);
  switch (rule) {
    case "observe_path":
      return observePath(name, call, context);
    case "watch":
      return watch(call, context);
    case "metadata":
      return metadata(name, call, context);
    case "signal":
      return signal(call, context);
    case "execute":
      return context.executed ? refuse(call, "process", programOf(call, context)) : GO_ON;
    case "resource_limits":
      return isOwn(call.arguments[0], context) ? GO_ON : refuse(call, "process", `process ${idOf(call.arguments[0])}`);
    case "refuse":
      return refused(name, call, context);
  }
}

/** libuv asks for rings by itself, and does without them. */
const isAskedByRuntime = (name: SyscallName): boolean => name.startsWith("io_uring");

function refused(name: SyscallName, call: WaitingCall, { process }: DecisionContext): Decision {
  if (isAskedByRuntime(name)) return uncounted(refuse(call, refusedKind(name), targetOf(name, call), ENOSYS));
  const changed = CHANGED_PATH[name];
  if (changed !== undefined) return refuse(call, "file_write", pathOf(call, changed, { process }));
  if (name !== "clone3") return refuse(call, refusedKind(name), targetOf(name, call));
  // glibc makes its threads with clone then; what clone3 was asked for is only read for the ledger.
  const flags = process.bytes(call.arguments[0] ?? 0n, 8);
  const isThread = flags.length === 8 && (flags.readBigUInt64LE(0) & CLONE_THREAD) !== 0n;
  return isThread
    ? { answer: { errno: ENOSYS } }
    : { ...refuse(call, "process", "a process"), answer: { errno: ENOSYS } };
}

const uncounted = (decision: Decision): Decision =>
  decision.attempt === undefined ? decision : { ...decision, attempt: { ...decision.attempt, counts: false } };

function refuse(call: WaitingCall, kind: Attempt["kind"], target: string, errno = EPERM): Decision {
  const operation = call.name ?? "unknown";
  // Asking the kernel for its network interfaces reaches nobody.
  const counts = target !== NETLINK;
  const attempt: Attempt = { layer: "system", kind, operation, target: attemptTarget(target), counts };
  return { answer: { errno }, attempt };
}

const NETLINK = "netlink raw";
const FAMILIES: Readonly<Record<number, string>> = { 1: "unix", 2: "inet", 10: "inet6", 16: "netlink", 17: "packet" };
const SOCKET_TYPES: Readonly<Record<number, string>> = { 1: "stream", 2: "datagram", 3: "raw" };

/** Where a call names the process it is aimed at. */
const PROCESS_ARGUMENT: Partial<Record<SyscallName, number>> = {
  pidfd_open: 0,
  process_vm_readv: 0,
  process_vm_writev: 0,
  rt_sigqueueinfo: 0,
  rt_tgsigqueueinfo: 0,
  ptrace: 1,
  setpriority: 1,
};

/** Addresses differ from run to run and tell nobody anything. */
function targetOf(name: SyscallName, { arguments: args }: WaitingCall): string {
  const [first = 0, second = 0] = args.map(Number);
  const processAt = PROCESS_ARGUMENT[name];
  if (processAt !== undefined) return `process ${idOf(args[processAt])}`;
  if (name === "socket" || name === "socketpair") {
    return `${FAMILIES[first] ?? `family ${first}`} ${SOCKET_TYPES[second & 0xf] ?? `type ${second & 0xf}`}`;
  }
  if (name === "fork" || name === "vfork" || name === "clone") return "a process";
  return "";
}

const idOf = (argument: bigint | undefined): number => Number(BigInt.asIntN(32, argument ?? 0n));

const isOwn = (argument: bigint | undefined, { process }: DecisionContext): boolean => {
  const id = idOf(argument);
  return id === 0 || (id > 0 && process.isOwnThread(id));
};

function signal(call: WaitingCall, context: DecisionContext): Decision {
  const [target] = call.arguments;
  // 0 and negative numbers are groups, and the supervisor is of this one.
  const isOwnThread = idOf(target) > 0 && isOwn(target, context);
  return isOwnThread ? GO_ON : refuse(call, "signal", `process ${idOf(target)}`);
}

function programOf(call: WaitingCall, { process }: DecisionContext): string {
  const [first = 0n, second = 0n] = call.arguments;
  return process.text(call.name === "execveat" ? second : first);
}

interface PathArguments {
  readonly directory?: number;
  readonly path: number;
}

/** Which arguments are the paths a call changes; `link` and `symlink` create the second one. */
const PATH_ARGUMENTS: Partial<Record<SyscallName, readonly PathArguments[]>> = {
  mkdir: [{ path: 0 }],
  mkdirat: [{ directory: 0, path: 1 }],
  rmdir: [{ path: 0 }],
  unlink: [{ path: 0 }],
  unlinkat: [{ directory: 0, path: 1 }],
  rename: [{ path: 0 }, { path: 1 }],
  renameat: [
    { directory: 0, path: 1 },
    { directory: 2, path: 3 },
  ],
  renameat2: [
    { directory: 0, path: 1 },
    { directory: 2, path: 3 },
  ],
  link: [{ path: 0 }, { path: 1 }],
  linkat: [
    { directory: 0, path: 1 },
    { directory: 2, path: 3 },
  ],
  symlink: [{ path: 1 }],
  symlinkat: [{ directory: 1, path: 2 }],
  truncate: [{ path: 0 }],
  mknod: [{ path: 0 }],
  mknodat: [{ directory: 0, path: 1 }],
  creat: [{ path: 0 }],
};

function observePath(name: SyscallName, call: WaitingCall, context: DecisionContext): Decision {
  const opened = openedFile(name, call, context);
  if (opened !== undefined) return observeOpen(call, opened, context);
  if (isDevice(name, call)) return refuse(call, "kernel", "a device");
  const paths = (PATH_ARGUMENTS[name] ?? []).map((at) => pathOf(call, at, context));
  const outside = paths.find((path) => isOutsideWrite(path, context.rules));
  return outside === undefined ? GO_ON : { ...refuse(call, "file_write", outside), answer: "go_on" };
}

const FILE_TYPE = 0o170000n;
const DEVICES = new Set([0o020000n, 0o060000n]);

/** A disk that root makes for itself would be as good as the one it stands for. */
function isDevice(name: SyscallName, { arguments: args }: WaitingCall): boolean {
  const mode = name === "mknod" ? args[1] : name === "mknodat" ? args[2] : undefined;
  return mode !== undefined && DEVICES.has(mode & FILE_TYPE);
}

/** Of calls that are refused wherever the path leads. */
const CHANGED_PATH: Partial<Record<SyscallName, PathArguments>> = {
  chown: { path: 0 },
  lchown: { path: 0 },
  fchownat: { directory: 0, path: 1 },
  fchmodat2: { directory: 0, path: 1 },
  setxattr: { path: 0 },
  lsetxattr: { path: 0 },
  removexattr: { path: 0 },
  lremovexattr: { path: 0 },
};

const pathOf = (call: WaitingCall, at: PathArguments, { process }: Pick<DecisionContext, "process">): string =>
  process.path(
    at.directory === undefined ? AT_FDCWD : idOf(call.arguments[at.directory]),
    call.arguments[at.path] ?? 0n,
  );

interface OpenedFile {
  readonly path: string;
  readonly flags: number;
}

function openedFile(name: SyscallName, call: WaitingCall, context: DecisionContext): OpenedFile | undefined {
  const [, second = 0n, third = 0n] = call.arguments;
  if (name === "open") return { path: pathOf(call, { path: 0 }, context), flags: Number(second) };
  if (name !== "openat" && name !== "openat2") return undefined;
  const how = name === "openat2" ? context.process.bytes(third, 8) : undefined;
  const flags = how === undefined ? Number(third) : how.length === 8 ? Number(how.readBigUInt64LE(0)) : 0;
  return { path: pathOf(call, { directory: 0, path: 1 }, context), flags };
}

// Of <asm-generic/fcntl.h>; the same on both machines.
const WRITES = 0o1 | 0o2 | 0o100 | 0o1000;
const O_PATH = 0o10000000;

/** Opening goes on whatever it is: the files' own wall decides, and the ledger is told what it will refuse. */
function observeOpen(call: WaitingCall, { path, flags }: OpenedFile, { process, rules }: DecisionContext): Decision {
  if (path === CANARY_OVER_PATH) return { answer: "go_on", canaryIsOver: true };
  if ((flags & O_PATH) !== 0) return GO_ON;
  if ((flags & WRITES) !== 0) {
    return isOutsideWrite(path, rules) ? { ...refuse(call, "file_write", path), answer: "go_on" } : GO_ON;
  }
  return isOutsideRead(path, process.isOwnThread, rules)
    ? { ...refuse(call, "file_read", path), answer: "go_on" }
    : GO_ON;
}

/** Landlock covers no watches. A race could win one here: names of files that change, nothing that is in them. */
function watch(call: WaitingCall, { process, rules }: DecisionContext): Decision {
  const path = process.path(AT_FDCWD, call.arguments[1] ?? 0n);
  return isBeneath(path, [...rules.read, ...rules.write]) ? GO_ON : refuse(call, "file_read", path);
}

function metadata(name: SyscallName, call: WaitingCall, { process, rules }: DecisionContext): Decision {
  const set = setMetadata(name, call, { process, write: rules.write });
  return set.outcome === "done"
    ? { answer: { errno: set.errno } }
    : refuse(call, "file_write", `${set.path} (file mode or times)`);
}
