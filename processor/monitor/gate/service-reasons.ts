import { VALID_INTERVALS } from "../tier-figures.ts";
import type { GateCode } from "./gate-codes.ts";
import type { GateInput, GateReason } from "./gate-input.ts";

const reason = (code: GateCode, message: string, details: GateReason["details"] = {}): GateReason => ({
  code,
  message,
  details,
});

/** Ordinary records are refused from here on. */
const FULL_SHARE = 0.95;
/** A scan may take its time, but not longer than so many of its pauses, and never less than the floor. */
const LATE_SCANS = 10;
const LATE_SCAN_MILLIS = 10_000;
/** A clock that was set back by more makes every age a guess. */
const SKEW_MILLIS = 5_000;

/** What the service itself cannot vouch for. */
export const serviceReasons = (input: GateInput, now: number): GateReason[] => [
  ...lifecycleReasons(input),
  ...monitorReasons(input, now),
  ...storeReasons(input),
  ...spoolReasons(input),
  ...watchdogReasons(input, now),
  ...scopeReasons(input),
];

function lifecycleReasons({ lifecycle }: GateInput): GateReason[] {
  if (lifecycle === "running") return [];
  if (lifecycle === "draining") return [reason("stopping", "The service stops.")];
  return [reason("starting", "The service has not started yet.")];
}

function monitorReasons({ monitor, startedAt }: GateInput, now: number): GateReason[] {
  if (monitor === undefined) return [reason("monitor_silent", "There is no monitor.")];
  const { figures, intervalMillis, problem, alerting } = monitor;
  const failed = alerting === undefined ? [] : [reason("alerting_failed", `Alerts do not go out: ${alerting}`)];
  const boundMillis = VALID_INTERVALS * intervalMillis;
  const because = problem === undefined ? "" : ` (${problem})`;
  if (figures === undefined) {
    const isYoung = startedAt !== undefined && now - startedAt <= boundMillis && problem === undefined;
    const message = `The monitor has not read the store yet${because}.`;
    return [...failed, reason(isYoung ? "starting" : "monitor_silent", message)];
  }
  const age = now - figures.read_at;
  if (age <= boundMillis && age >= -SKEW_MILLIS) return failed;
  const message = `The monitor last read the store ${Math.round(age / 1_000)} s ago${because}.`;
  return [...failed, reason("monitor_silent", message, { age_seconds: age / 1_000, read_at: figures.read_at })];
}

function storeReasons({ store, monitor }: GateInput): GateReason[] {
  if (store === undefined) return [reason("store_unavailable", "The state of the store is not known.")];
  const problem = store.problem ?? monitor?.problem;
  if (store.up && problem === undefined) return [];
  return [reason("store_unavailable", `The store does not work: ${problem ?? "it is down"}.`)];
}

function spoolReasons({ spool }: GateInput): GateReason[] {
  if (spool === undefined) return [reason("spool_unavailable", "The state of the spool is not known.")];
  if (!spool.writable) return [reason("spool_unavailable", "The spool's disk cannot be written.")];
  if (spool.share < FULL_SHARE) return [];
  return [reason("spool_full", "The spool is full: what agents send is refused.", { share: spool.share })];
}

function watchdogReasons({ watchdog, startedAt }: GateInput, now: number): GateReason[] {
  if (watchdog === undefined) return [reason("watchdog_silent", "There is no watchdog.")];
  const { lastScanAt, scanMillis, quietMillis } = watchdog;
  const boundMillis = Math.max(LATE_SCAN_MILLIS, LATE_SCANS * scanMillis);
  if (lastScanAt === null) {
    const isYoung = startedAt !== undefined && now - startedAt <= quietMillis + boundMillis;
    const message = "Nobody has looked for abandoned runs yet.";
    return [reason(isYoung ? "starting" : "watchdog_silent", message)];
  }
  const age = now - lastScanAt;
  if (age <= boundMillis && age >= -SKEW_MILLIS) return [];
  const message = `The last look for abandoned runs was ${Math.round(age / 1_000)} s ago.`;
  return [reason("watchdog_silent", message, { age_seconds: age / 1_000 })];
}

function scopeReasons({ scope }: GateInput): GateReason[] {
  if (scope === "none") return [];
  if (scope === undefined) return [reason("scope_drift", "The project scope is not known.")];
  const { enforced, synced, authorized } = scope;
  const isKnown = [enforced, synced, authorized].every((flag) => typeof flag === "boolean");
  if (isKnown && (!enforced || (synced && authorized))) return [];
  return [reason("scope_drift", scope.message || "The project scope has drifted.", { synced, authorized })];
}
