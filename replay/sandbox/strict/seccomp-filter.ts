import { AUDIT_ARCH, FIRST_UNKNOWN_SYSCALL, type Machine, type SyscallName, syscallNumber } from "./syscall-numbers.ts";
import { SYSCALL_RULES, type SyscallRule } from "./syscall-policy.ts";

// Classic BPF over `struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}`, see seccomp(2).
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const AND = 0x54;
const RETURN = 0x06;

const KILL_PROCESS = 0x80000000;
const NOTIFY = 0x7fc00000;
const ALLOW = 0x7fff0000;
const failWith = (errno: number): number => 0x00050000 | errno;

const EPERM = 1;
const ENOSYS = 38;
const X32_BIT = 0x40000000;
const CLONE_THREAD = 0x00010000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_TYPE_MASK = 0xf;
const PR_SET_SECCOMP = 22;

/**
 * `TCGETS`, `TCGETS2`, `TIOCGWINSZ`, `FIONREAD`, `FIONBIO`, `FIONCLEX`, `FIOCLEX`; and `FICLONE`, `FICLONERANGE`, which
 * write only to what is open for writing.
 */
const HARMLESS_REQUESTS = [0x5401, 0x802c542a, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451, 0x40049409, 0x4020940d];

/** Bytes of one instruction. */
export const INSTRUCTION_BYTES = 8;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

/** Offsets of the lower and the upper half of an argument on a little-endian machine. */
const lower = (argument: number): number => 16 + 8 * argument;
const upper = (argument: number): number => lower(argument) + 4;

export interface SeccompFilterOptions {
  readonly machine: Machine;
  /**
   * `notify`: a supervisor is told of every call that has a rule and answers it. `errno`: refused calls fail at once and
   * nobody is told; for a wall whose mounts and namespaces already decide about files, signals and programs.
   */
  readonly on: "notify" | "errno";
}

/** The filter of the wall as `struct sock_filter[]`. What has no rule is let through. */
export function seccompFilter({ machine, on }: SeccompFilterOptions): Buffer {
  const refused = on === "notify" ? NOTIFY : failWith(EPERM);
  const program: Instruction[] = [
    [LOAD, 0, 0, 4],
    [JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, 0],
    ...(machine === "x64" ? returnWhen([JUMP_AT_LEAST, 0, 1, X32_BIT], refused) : []),
    ...returnWhen([JUMP_AT_LEAST, 0, 1, FIRST_UNKNOWN_SYSCALL], failWith(ENOSYS)),
    ...[...SYSCALL_RULES].flatMap(([name, rule]) => rulesOf(name, rule, { machine, on })),
    [RETURN, 0, 0, ALLOW],
  ];
  return encode(program);
}

function rulesOf(name: SyscallName, rule: SyscallRule, { machine, on }: SeccompFilterOptions): Instruction[] {
  const number = syscallNumber(name, machine);
  if (number === undefined) return [];
  if (on === "errno" && rule !== "refuse") return [];
  const refused = on === "notify" ? NOTIFY : failWith(EPERM);
  const body = CONDITIONS[name]?.(refused);
  // What glibc cannot do with clone3 it does with clone, whose flags a filter can read.
  if (name === "clone3" && on === "errno") return returnWhen([JUMP_EQUAL, 0, 1, number], failWith(ENOSYS));
  if (body === undefined) return returnWhen([JUMP_EQUAL, 0, 1, number], refused);
  return [[JUMP_EQUAL, 0, body.length, number], ...body];
}

const returnWhen = (test: Instruction, action: number): Instruction[] => [test, [RETURN, 0, 0, action]];

/** Calls that are refused for some arguments only. Each ends with a return, so nothing after it sees another register. */
const CONDITIONS: Partial<Record<SyscallName, (refused: number) => Instruction[]>> = {
  // Threads are the process itself; anything else is another process.
  clone: (refused) => [
    [LOAD, 0, 0, lower(0)],
    [JUMP_ANY_BIT, 1, 0, CLONE_THREAD],
    [RETURN, 0, 0, refused],
    [RETURN, 0, 0, ALLOW],
  ],
  // A datagram socket of a pair could still send to a path; a stream is bound to its other end.
  socketpair: (refused) => [
    [LOAD, 0, 0, lower(0)],
    [JUMP_EQUAL, 0, 3, AF_UNIX],
    [LOAD, 0, 0, lower(1)],
    [AND, 0, 0, SOCK_TYPE_MASK],
    [JUMP_EQUAL, 1, 0, SOCK_STREAM],
    [RETURN, 0, 0, refused],
    [RETURN, 0, 0, ALLOW],
  ],
  // Without an address it is a write to where the socket is already connected.
  sendto: (refused) => [
    [LOAD, 0, 0, lower(4)],
    [JUMP_EQUAL, 0, 2, 0],
    [LOAD, 0, 0, upper(4)],
    [JUMP_EQUAL, 1, 0, 0],
    [RETURN, 0, 0, refused],
    [RETURN, 0, 0, ALLOW],
  ],
  // Requests to files reach past what opening them allowed: flags of a file system, devices.
  ioctl: (refused) => [
    [LOAD, 0, 0, lower(1)],
    ...HARMLESS_REQUESTS.flatMap((request) => returnWhen([JUMP_EQUAL, 0, 1, request], ALLOW)),
    [RETURN, 0, 0, refused],
  ],
  // A further filter could hide calls from this one's notifier.
  prctl: (refused) => [
    [LOAD, 0, 0, lower(0)],
    [JUMP_EQUAL, 0, 1, PR_SET_SECCOMP],
    [RETURN, 0, 0, refused],
    [RETURN, 0, 0, ALLOW],
  ],
};

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  program.forEach(([code, jumpTrue, jumpFalse, operand], index) => {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jumpTrue, at + 2);
    bytes.writeUInt8(jumpFalse, at + 3);
    bytes.writeUInt32LE(operand >>> 0, at + 4);
  });
  return bytes;
}
