import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** The process a spool file belongs to. A pid alone may be another process tomorrow, or on another host. */
export interface SpoolOwner {
  readonly pid: number;
  /** Start time in clock ticks since boot; "0" where the system does not tell. */
  readonly startTicks: string;
  /** Host, boot and pid namespace, hashed: only there does the pid mean something. */
  readonly host: string;
}

/** A foreign owner's file is left alone until nobody touched it this long; live owners touch theirs every minute. */
export const FOREIGN_OWNER_SILENCE_MILLIS = 15 * 60_000;
export const TOUCH_INTERVAL_MILLIS = 60_000;

let own: SpoolOwner | undefined;

export const currentOwner = (): SpoolOwner =>
  (own ??= {
    pid: process.pid,
    startTicks: processStat(process.pid)?.startTicks ?? "0",
    host: createHash("sha256").update([hostname(), bootId(), pidNamespace()].join("\n")).digest("hex").slice(0, 8),
  });

/** Whether the owner is certainly gone; in doubt it lives. */
export function isOwnerDead(owner: SpoolOwner, lastTouchedMillis: number, nowMillis: number): boolean {
  if (owner.host !== currentOwner().host) return nowMillis - lastTouchedMillis > FOREIGN_OWNER_SILENCE_MILLIS;
  if (!processExists(owner.pid)) return true;
  const stat = processStat(owner.pid);
  if (stat === undefined || owner.startTicks === "0") return false;
  return stat.dead || stat.startTicks !== owner.startTicks;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function processStat(pid: number): { readonly startTicks: string; readonly dead: boolean } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The command may hold blanks and brackets; the fields after its last bracket are the 3rd to the 52nd.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTicks = fields?.[19];
  return startTicks === undefined ? undefined : { startTicks, dead: /^[ZXx]$/.test(fields?.[0] ?? "") };
}

const bootId = (): string => readText("/proc/sys/kernel/random/boot_id") ?? "";

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
