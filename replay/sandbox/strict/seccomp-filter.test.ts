import { describe, expect, test } from "vitest";
import { INSTRUCTION_BYTES, seccompFilter } from "./seccomp-filter.ts";
import { AUDIT_ARCH, type Machine, type SyscallName, syscallNumber } from "./syscall-numbers.ts";
import { SYSCALL_RULES } from "./syscall-policy.ts";

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

interface Call {
  readonly number: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

/** What the kernel's interpreter makes of a program: `struct seccomp_data` in, action out. */
function run(program: Buffer, { number, arch, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index));
  let register = 0;
  for (let at = 0; at * INSTRUCTION_BYTES < program.length;) {
    const base = at++ * INSTRUCTION_BYTES;
    const [code, yes, no] = [program.readUInt16LE(base), program.readUInt8(base + 2), program.readUInt8(base + 3)];
    const operand = program.readUInt32LE(base + 4);
    if (code === 0x20) register = data.readUInt32LE(operand);
    else if (code === 0x54) register = (register & operand) >>> 0;
    else if (code === 0x15) at += register === operand ? yes : no;
    else if (code === 0x35) at += register >= operand ? yes : no;
    else if (code === 0x45) at += (register & operand) !== 0 ? yes : no;
    else if (code === 0x06) return operand;
    else throw new Error(`instruction ${code}`);
  }
  throw new Error("ran off its end");
}

const machines: readonly Machine[] = ["x64", "arm64"];
const ask = (machine: Machine, name: SyscallName, args: readonly bigint[] = [], on: "notify" | "errno" = "notify") =>
  run(seccompFilter({ machine, on }), {
    number: syscallNumber(name, machine) ?? -1,
    arch: AUDIT_ARCH[machine],
    args,
  });

describe.each(machines)("the filter of %s", (machine) => {
  const program = seccompFilter({ machine, on: "notify" });
  const arch = AUDIT_ARCH[machine];

  test("is one the kernel takes", () => {
    expect(program.length % INSTRUCTION_BYTES).toBe(0);
    expect(program.length / INSTRUCTION_BYTES).toBeLessThanOrEqual(4096);
  });

  test("tells of every call that has a rule, when its condition holds", () => {
    const conditional = new Set(["clone", "socketpair", "sendto", "prctl", "ioctl"]);
    for (const name of SYSCALL_RULES.keys()) {
      if (syscallNumber(name, machine) !== undefined && !conditional.has(name)) {
        expect(ask(machine, name), name).toBe(NOTIFY);
      }
    }
  });

  test("lets reading, writing and memory through", () => {
    for (const number of machine === "x64" ? [0, 1, 9, 202, 232] : [63, 64, 222, 98, 22]) {
      expect(run(program, { number, arch })).toBe(ALLOW);
    }
    expect(ask(machine, "recvmsg")).toBe(ALLOW);
    expect(ask(machine, "sendmsg")).toBe(ALLOW);
  });

  test("kills what calls under another architecture", () => {
    expect(run(program, { number: 0, arch: 0x40000003 })).toBe(KILL);
  });

  test("knows nothing of calls that are younger than it", () => {
    expect(run(program, { number: 470, arch })).toBe(ENOSYS);
  });

  test("lets threads start and no processes", () => {
    expect(ask(machine, "clone", [0x3d0f00n])).toBe(ALLOW);
    expect(ask(machine, "clone", [17n])).toBe(NOTIFY);
    expect(ask(machine, "clone", [0x4111n])).toBe(NOTIFY);
  });

  test("lets a pair of streams be made, and nothing that can be sent elsewhere", () => {
    expect(ask(machine, "socketpair", [1n, 0x80801n])).toBe(ALLOW);
    expect(ask(machine, "socketpair", [1n, 2n])).toBe(NOTIFY);
    expect(ask(machine, "socketpair", [2n, 1n])).toBe(NOTIFY);
    expect(ask(machine, "sendto", [3n, 1n, 1n, 0n, 0n])).toBe(ALLOW);
    expect(ask(machine, "sendto", [3n, 1n, 1n, 0n, 4096n])).toBe(NOTIFY);
    expect(ask(machine, "sendto", [3n, 1n, 1n, 0n, 1n << 40n])).toBe(NOTIFY);
  });

  test("refuses another filter and requests to devices", () => {
    expect(ask(machine, "prctl", [22n])).toBe(NOTIFY);
    expect(ask(machine, "prctl", [15n])).toBe(ALLOW);
    expect(ask(machine, "ioctl", [1n, 0x5401n])).toBe(ALLOW);
    expect(ask(machine, "ioctl", [1n, 0x40086602n])).toBe(NOTIFY);
  });

  test("fails at once where nobody is told", () => {
    expect(ask(machine, "socket", [], "errno")).toBe(EPERM);
    expect(ask(machine, "clone3", [], "errno")).toBe(ENOSYS);
    for (const name of ["execve", "openat", "kill", "fchmod"] as const) {
      expect(ask(machine, name, [], "errno"), name).toBe(ALLOW);
    }
  });
});

test("calls of x32 are told like unknown ones", () => {
  const program = seccompFilter({ machine: "x64", on: "notify" });
  expect(run(program, { number: 0x40000029, arch: AUDIT_ARCH.x64 })).toBe(NOTIFY);
});
