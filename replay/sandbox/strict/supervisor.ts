/**
 * Entry of the process between the worker and the agent: it starts the launcher, is handed the filter's notifier, and
 * answers every system call that the filter stops. Only `start-strict-child.ts` starts it.
 *
 * It loops without the event loop: it has nothing else to do, and the agent's process waits for each answer.
 */
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type LedgerLine, MAX_LINES } from "./attempt.ts";
import { type Decision, decideSyscall, EPERM, type WaitingCall } from "./decide-syscall.ts";
import { CHANNEL_FD, LEDGER_FD, type LaunchPlan, PLAN_VARIABLE, takePlan } from "./launch-plan.ts";
import { machine, stableBytes, SyscallError, systemCall } from "./native-calls.ts";
import { receiveDescriptor } from "./pass-descriptor.ts";
import type { PathRules } from "./path-rules.ts";
import { syscallName } from "./syscall-numbers.ts";
import { tracedProcess, type TracedProcess } from "./traced-process.ts";

// Of <linux/seccomp.h>.
const NOTIF_RECV = 0xc0502100n;
const NOTIF_SEND = 0xc0182101n;
const NOTIFICATION_BYTES = 80;
const RESPONSE_BYTES = 24;
const FLAG_CONTINUE = 1;
const POLLIN = 1;
const ENOENT = 2;
const EINTR = 4;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0o2000001;

let lines = 0;
let executed = false;
const processes = new Map<number, TracedProcess>();

function supervise(plan: LaunchPlan): void {
  const [own, theirs] = socketPair();
  const launcher = spawnLauncher(plan, theirs);
  launcher.once("error", (error) => tell({ type: "fault", message: error.message }));
  launcher.once("exit", (code, signal) => tell({ type: "ended", code, signal }));
  closeSync(theirs);
  const notifier = receiveDescriptor(own);
  closeSync(own);
  if (notifier === undefined) return;
  const rules: PathRules = {
    read: [...plan.files.read, ...plan.files.execute],
    write: [...plan.files.write, ...plan.files.writeFiles],
  };
  while (waitForCall(notifier)) answerNext(notifier, rules);
}

function spawnLauncher(plan: LaunchPlan, handover: number) {
  const entry = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "./launcher.ts" : "./launcher.js", import.meta.url),
  );
  const command = [...plan.wrapper, process.execPath, "--no-warnings", entry];
  return spawn(command[0] ?? process.execPath, command.slice(1), {
    stdio: ["ignore", "inherit", "inherit", CHANNEL_FD, handover],
    env: { ...process.env, [PLAN_VARIABLE]: JSON.stringify(plan) },
  });
}

function socketPair(): [number, number] {
  const pair = stableBytes(8);
  systemCall("socketpair", AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

const poll = stableBytes(8);

/** Waits; `false` when no process is behind the filter any more. */
function waitForCall(notifier: number): boolean {
  poll.writeInt32LE(notifier, 0);
  poll.writeInt16LE(POLLIN, 4);
  poll.writeInt16LE(0, 6);
  if (attempted(() => systemCall("ppoll", poll, 1, 0, 0, 0)) === "interrupted") return true;
  return (poll.readInt16LE(6) & POLLIN) !== 0;
}

const notification = stableBytes(NOTIFICATION_BYTES);
const response = stableBytes(RESPONSE_BYTES);

function answerNext(notifier: number, rules: PathRules): void {
  notification.fill(0);
  // A thread that was killed meanwhile has no call any more.
  if (attempted(() => systemCall("ioctl", notifier, NOTIF_RECV, notification)) === "interrupted") return;
  const number = notification.readInt32LE(16);
  const call: WaitingCall = {
    name: syscallName(number, machine),
    number,
    pid: notification.readUInt32LE(8),
    arguments: [0, 1, 2, 3, 4, 5].map((index) => notification.readBigUInt64LE(32 + 8 * index)),
  };
  const decision = decide(call, rules);
  if (decision.canaryIsOver === true) tell({ type: "agent_begins" });
  if (decision.attempt !== undefined) tell({ type: "attempt", attempt: decision.attempt });
  response.fill(0);
  notification.copy(response, 0, 0, 8);
  if (decision.answer === "go_on") response.writeUInt32LE(FLAG_CONTINUE, 20);
  else response.writeInt32LE(-decision.answer.errno, 16);
  attempted(() => systemCall("ioctl", notifier, NOTIF_SEND, response));
}

/** What cannot be decided is refused. */
function decide(call: WaitingCall, rules: PathRules): Decision {
  try {
    const process = processes.get(call.pid) ?? tracedProcess(call.pid);
    processes.set(call.pid, process);
    const decision = decideSyscall(call, { process, rules, executed });
    if (call.name === "execve" && decision.answer === "go_on") executed = true;
    return decision;
  } catch (error) {
    tell({ type: "fault", message: error instanceof Error ? error.message : String(error) });
    return { answer: { errno: EPERM } };
  }
}

function attempted(work: () => unknown): "done" | "interrupted" {
  try {
    work();
    return "done";
  } catch (error) {
    if (error instanceof SyscallError && (error.errno === EINTR || error.errno === ENOENT)) return "interrupted";
    throw error;
  }
}

function tell(line: LedgerLine): void {
  if (line.type === "attempt" && ++lines >= MAX_LINES) {
    if (lines > MAX_LINES) return;
    writeSync(LEDGER_FD, `${JSON.stringify({ type: "full" } satisfies LedgerLine)}\n`);
    return;
  }
  writeSync(LEDGER_FD, `${JSON.stringify(line)}\n`);
}

try {
  supervise(takePlan());
} catch (error) {
  tell({ type: "fault", message: error instanceof Error ? error.message : String(error) });
}
