/**
 * Entry of the process that builds the wall around itself and then becomes the agent's runtime. Only `supervisor.ts`
 * starts it. No code of the agent is near.
 *
 * Landlock and seccomp bind one thread, and `execve` ends all others: what comes out of it has the calling thread's
 * walls.
 */
import { writeSync } from "node:fs";
import { LANDLOCK_ABI_WANTED, landlockAbi, requireLandlock, restrictFiles } from "./landlock.ts";
import { CHANNEL_FD, HANDOVER_FD, type LaunchPlan, takePlan } from "./launch-plan.ts";
import { addressOf, cString, machine, stableBytes, stableCopy, SyscallError, systemCall } from "./native-calls.ts";
import { sendDescriptor } from "./pass-descriptor.ts";
import { INSTRUCTION_BYTES, seccompFilter } from "./seccomp-filter.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_DROP = 24;
const CAP_DAC_READ_SEARCH = 2;
/** More than there are. */
const LAST_CAPABILITY = 63;
const SIGKILL = 9;
const F_SETFD = 2;
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_DESCRIPTOR = 0xffffffff;
const RLIMIT_CORE = 4;
const SECCOMP_SET_MODE_FILTER = 1;
const FILTER_NEW_LISTENER = 8;

function launch(plan: LaunchPlan): void {
  // Everything that allocates comes before the filter: from there on each file this thread opens waits for the supervisor.
  const path = cString(plan.program);
  const argv = texts(plan.programArguments);
  const environment = texts(
    Object.entries({ ...plan.environment, NODE_CHANNEL_FD: String(CHANNEL_FD) }).map(([name, it]) => `${name}=${it}`),
  );
  const filter = filterProgram();
  systemCall("prctl", PR_SET_PDEATHSIG, SIGKILL);
  // A core file would be written by the kernel, outside every wall.
  systemCall("prlimit64", 0, RLIMIT_CORE, stableBytes(16), 0);
  systemCall("fcntl", CHANNEL_FD, F_SETFD, 0);
  systemCall("close_range", CHANNEL_FD + 1, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
  systemCall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (plan.landlock === "required") requireLandlock();
  if (landlockAbi() >= LANDLOCK_ABI_WANTED) restrictFiles(plan.files);
  dropCapabilities();
  try {
    const notifier = systemCall("seccomp", SECCOMP_SET_MODE_FILTER, FILTER_NEW_LISTENER, filter);
    sendDescriptor(HANDOVER_FD, notifier);
    systemCall("execve", path, argv, environment);
  } catch (error) {
    endAtOnce(error);
  }
}

/** Node's own way out opens files, for which nobody may be there to answer. */
function endAtOnce(error: unknown): void {
  writeSync(2, `${error instanceof Error ? error.message : String(error)}\n`);
  systemCall("exit_group", 1);
}

/**
 * Root behind the wall is an ordinary user who may read: a program that is executed gets no capability that is not in
 * the bounding set.
 */
function dropCapabilities(): void {
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++) {
    if (capability === CAP_DAC_READ_SEARCH) continue;
    try {
      systemCall("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0);
    } catch (error) {
      // An ordinary user has none to drop, and a kernel may know fewer.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

/** `struct sock_fprog`. */
function filterProgram(): Buffer {
  const instructions = stableCopy(seccompFilter({ machine, on: "notify" }));
  const program = stableBytes(16);
  program.writeUInt16LE(instructions.length / INSTRUCTION_BYTES, 0);
  program.writeBigUInt64LE(addressOf(instructions), 8);
  return program;
}

/** `char *[]`, ended by a null pointer. */
function texts(values: readonly string[]): Buffer {
  const pointers = stableBytes(8 * (values.length + 1));
  values.map(cString).forEach((text, index) => pointers.writeBigUInt64LE(addressOf(text), 8 * index));
  return pointers;
}

launch(takePlan());
