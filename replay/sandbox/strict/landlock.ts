import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { SyscallError, stableBytes, stableCopy, systemCall } from "./native-calls.ts";

/**
 * Oldest interface of the kernel that is enough, from Linux 6.12: files, TCP, abstract unix sockets and signals.
 * https://docs.kernel.org/userspace-api/landlock.html
 */
export const LANDLOCK_ABI_WANTED = 6;

// Of <linux/landlock.h>.
const CREATE_RULESET_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const ACCESS_FS = { execute: 1, writeFile: 2, readFile: 4, readDirectory: 8, truncate: 1 << 14 } as const;
/** Every right of interface 5 and later: 16 of them. */
const ALL_FS = 0xffff;
const ALL_NET = 0x3;
const ALL_SCOPES = 0x3;
/** Making and controlling devices, and executing: nothing a work folder needs. */
const NOT_IN_WORK_FOLDER = (1 << 6) | (1 << 11) | (1 << 15) | 1;
const O_PATH = 0o10000000;

/** The kernel's Landlock interface number; 0 without Landlock. */
export function landlockAbi(): number {
  try {
    return systemCall("landlock_create_ruleset", 0, 0, CREATE_RULESET_VERSION);
  } catch (error) {
    if (error instanceof SyscallError) return 0;
    throw error;
  }
}

export interface FileRights {
  /** Files and folders that may be read. */
  readonly read: readonly string[];
  /** Programs and libraries that may also be executed. */
  readonly execute: readonly string[];
  /** Folders in which everything may be done but executing, and making or controlling devices. */
  readonly write: readonly string[];
  /** Single files that may be written: `/dev/null`. */
  readonly writeFiles: readonly string[];
}

/** Throws where the kernel's interface is not enough. */
export function requireLandlock(): void {
  const abi = landlockAbi();
  if (abi >= LANDLOCK_ABI_WANTED) return;
  const found = abi === 0 ? "the kernel has no Landlock" : `the kernel's Landlock interface is ${abi}`;
  throw new Error(`${found}; ${LANDLOCK_ABI_WANTED} is needed (Linux 6.12)`);
}

/** Binds the calling thread, and what it executes, to these files; no TCP, no abstract sockets, no signals to others. */
export function restrictFiles(rights: FileRights): void {
  const attributes = stableBytes(24);
  attributes.writeBigUInt64LE(BigInt(ALL_FS), 0);
  attributes.writeBigUInt64LE(BigInt(ALL_NET), 8);
  attributes.writeBigUInt64LE(BigInt(ALL_SCOPES), 16);
  const ruleset = systemCall("landlock_create_ruleset", attributes, attributes.length, 0);
  const readable = ACCESS_FS.readFile | ACCESS_FS.readDirectory;
  for (const path of rights.read) allow(ruleset, path, readable);
  for (const path of rights.execute) allow(ruleset, path, readable | ACCESS_FS.execute);
  for (const path of rights.write) allow(ruleset, path, ALL_FS & ~NOT_IN_WORK_FOLDER);
  for (const path of rights.writeFiles) allow(ruleset, path, ACCESS_FS.readFile | ACCESS_FS.writeFile);
  systemCall("landlock_restrict_self", ruleset, 0);
  closeSync(ruleset);
}

/** A path that is not there grants nothing. */
function allow(ruleset: number, path: string, access: number): void {
  const fd = openForRule(path);
  if (fd === undefined) return;
  const fileRights = ACCESS_FS.execute | ACCESS_FS.writeFile | ACCESS_FS.readFile | ACCESS_FS.truncate;
  const rights = fstatSync(fd).isDirectory() ? access : access & fileRights;
  const rule = stableBytes(12);
  rule.writeBigUInt64LE(BigInt(rights), 0);
  rule.writeInt32LE(fd, 8);
  systemCall("landlock_add_rule", ruleset, RULE_PATH_BENEATH, stableCopy(rule), 0);
  closeSync(fd);
}

function openForRule(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_RDONLY);
  } catch {
    return undefined;
  }
}
