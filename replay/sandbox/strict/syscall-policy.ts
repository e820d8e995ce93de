import type { SyscallName } from "./syscall-numbers.ts";

/**
 * What becomes of a system call that is not simply let through.
 * - `refuse`: it fails; the attempt is told. - `observe_path`: the file rules of the wall decide, the notifier only tells.
 * - `watch`: of files that may be read. - `metadata`: file modes and times, which Landlock does not cover: the supervisor sets them, inside the work folder only.
 * - `signal`: for threads of the process itself. - `execute`: once, for the agent's runtime.
 * - `resource_limits`: of the process itself.
 */
export type SyscallRule = "refuse" | "observe_path" | "watch" | "metadata" | "signal" | "execute" | "resource_limits";

/** Why a refused call counts: the kind of operation it is, as the ledger names it. */
export type RefusedKind = "network" | "process" | "kernel" | "memory" | "file_write";

const REFUSED: Readonly<Record<RefusedKind, readonly SyscallName[]>> = {
  network: ["socket", "connect", "bind", "listen", "accept", "accept4", "sendto", "socketpair"],
  process: [
    ...(["fork", "vfork", "clone", "clone3", "setsid", "setpgid"] as const),
    ...(["rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "pidfd_open", "pidfd_getfd"] as const),
    ...(["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp"] as const),
    ...(["setpriority", "ioprio_set", "migrate_pages", "move_pages"] as const),
    ...(["sched_setaffinity", "sched_setattr", "sched_setscheduler", "sched_setparam"] as const),
  ],
  // System V and POSIX queues reach every process of the machine and no file rule sees them.
  memory: [
    ...(["shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl"] as const),
    ...(["semget", "semop", "semctl", "semtimedop", "mq_open", "mq_unlink"] as const),
  ],
  file_write: [
    ...(["chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr"] as const),
    ...(["removexattr", "lremovexattr", "fremovexattr", "futimesat", "fchmodat2"] as const),
  ],
  kernel: [
    ...(["io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd"] as const),
    ...(["mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "open_tree", "move_mount"] as const),
    ...([
      "fsopen",
      "fsconfig",
      "fsmount",
      "fspick",
      "mount_setattr",
      "open_by_handle_at",
      "name_to_handle_at",
    ] as const),
    ...(["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"] as const),
    ...(["swapon", "swapoff", "keyctl", "add_key", "request_key", "fanotify_init", "quotactl", "quotactl_fd"] as const),
    ...(["acct", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname"] as const),
    ...([
      "setdomainname",
      "iopl",
      "ioperm",
      "modify_ldt",
      "uselib",
      "syslog",
      "vhangup",
      "seccomp",
      "prctl",
      "ioctl",
    ] as const),
    ...(["setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups"] as const),
    ...(["setfsuid", "setfsgid", "capset"] as const),
  ],
};

const OTHERS: Readonly<Record<Exclude<SyscallRule, "refuse">, readonly SyscallName[]>> = {
  observe_path: [
    ...(["open", "openat", "openat2", "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"] as const),
    ...(["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"] as const),
    ...(["truncate", "mknod", "mknodat"] as const),
  ],
  watch: ["inotify_add_watch"],
  metadata: ["chmod", "fchmod", "fchmodat", "utime", "utimes", "utimensat"],
  signal: ["kill", "tkill", "tgkill"],
  execute: ["execve", "execveat"],
  resource_limits: ["prlimit64"],
};

/** Every call with a rule. Calls with a condition on their arguments have it in the filter. */
export const SYSCALL_RULES: ReadonlyMap<SyscallName, SyscallRule> = new Map([
  ...Object.values(REFUSED).flatMap((names) => names.map((name) => [name, "refuse"] as const)),
  ...(Object.keys(OTHERS) as (keyof typeof OTHERS)[]).flatMap((rule) =>
    OTHERS[rule].map((name) => [name, rule] as const),
  ),
]);

export function refusedKind(name: SyscallName): RefusedKind {
  const kinds = Object.keys(REFUSED) as RefusedKind[];
  return kinds.find((kind) => REFUSED[kind].includes(name)) ?? "kernel";
}
