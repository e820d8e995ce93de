import { existsSync } from "node:fs";
import { basename } from "node:path";

/** Where the process behind the wall may read and write, for telling attempts apart; the kernel enforces it. */
export interface PathRules {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

export const isBeneath = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`));

/**
 * What every program looks at on its way: name service and machine settings, its own process, modules up the tree.
 * Refused where the wall refuses it, and no operation of the agent.
 */
const LOOKED_AT = ["/etc", "/sys", "/usr", "/lib", "/lib64", "/dev", "/run/systemd/resolve"];
const MODULE_FILES = new Set(["package.json", "node_modules"]);
const PRIVATE = ["/etc/shadow", "/etc/gshadow", "/etc/ssl/private", "/etc/ssh", "/etc/sudoers"];

/** Whether reading this path was an attempt to get at something outside. */
export function isOutsideRead(path: string, isOwn: (pid: number) => boolean, rules: PathRules): boolean {
  if (isBeneath(path, [...rules.read, ...rules.write])) return false;
  if (isBeneath(path, PRIVATE)) return true;
  if (isBeneath(path, LOOKED_AT) || path === "/" || MODULE_FILES.has(basename(path))) return false;
  const process = /^\/proc\/(\d+)(\/|$)/.exec(path);
  if (path.startsWith("/proc/") || path === "/proc") return process !== null && !isOwn(Number(process[1]));
  return existsSync(path);
}

export const isOutsideWrite = (path: string, rules: PathRules): boolean =>
  !isBeneath(path, rules.write) && !/^(pipe|socket|anon_inode|memfd):|^\/memfd:/.test(path);
