import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { codeFolders } from "./code-folders.ts";
import type { FileRights } from "./landlock.ts";

/** Libraries of the runtime: the loader opens them to execute. */
const LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/** What a Node process reads of its machine and what tells it nothing about its users. */
const MACHINE = [
  ...["/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/usr/share/zoneinfo"],
  ...["/dev/zero", "/dev/random", "/dev/urandom", "/sys/fs/cgroup", "/sys/devices/system/cpu"],
  ...["/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/version", "/proc/loadavg", "/proc/uptime"],
  ...["/proc/sys/vm/overcommit_memory", "/proc/sys/vm/max_map_count"],
];

/** The files of a replay behind the wall: code and runtime to read, one folder to write. */
export function fileRights(agentModule: string, writable: string): FileRights {
  const code = [fileURLToPath(agentModule), fileURLToPath(import.meta.url)].flatMap(codeFolders);
  return {
    read: [...new Set([...code, ...MACHINE])],
    execute: [realpathSync(process.execPath), ...LIBRARIES],
    write: [writable],
    writeFiles: ["/dev/null"],
  };
}
