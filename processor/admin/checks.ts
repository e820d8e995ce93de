import type { EngineStats } from "../clickhouse/embedded/embedded-engine.ts";
import type { SpoolStats } from "../spool/index.ts";
import type { StoreHealth } from "../telemetry/index.ts";
import { type Check, fail, ok, warn } from "./health-check.ts";

/** `address` throws while nobody listens. */
export function listeningCheck(name: string, address: () => unknown): Check {
  try {
    address();
    return ok(name);
  } catch {
    return fail(name, "Does not listen.");
  }
}

/** Ordinary records are refused from here on; the rest is for starts and ends of runs. */
const FULL_SHARE = 0.95;
const NEARLY_FULL_SHARE = 0.8;
/** A refusal says for this long that the spool is full, also when the next record would just have had room. */
const REFUSAL_MILLIS = 5_000;

export interface SpoolCheckOptions {
  readonly stats: () => Pick<SpoolStats, "writable" | "bytes" | "pendingBytes" | "full">;
  readonly maxBytes: number;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
}

/** Whether what is sent now would be acknowledged. */
export function createSpoolCheck({ stats, maxBytes, now = () => performance.now() }: SpoolCheckOptions): () => Check {
  let refusals = stats().full;
  let refusedAt = -Infinity;
  return () => {
    const { writable, bytes, pendingBytes, full } = stats();
    if (full > refusals) refusedAt = now();
    refusals = full;
    if (!writable) return fail("spool", "The disk cannot be written; senders are told to come back.");
    const share = (bytes + pendingBytes) / maxBytes;
    const percent = `${Math.floor(share * 100)} % of ${maxBytes} bytes`;
    if (share >= FULL_SHARE || now() - refusedAt < REFUSAL_MILLIS) {
      return fail("spool", `The spool is full (${percent}); senders are told to come back.`);
    }
    return share >= NEARLY_FULL_SHARE ? warn("spool", `The spool fills up (${percent}).`) : ok("spool");
  };
}

export interface StoreCheckOptions {
  readonly health: Pick<StoreHealth, "problem" | "failingSince">;
  /** Of the embedded engine, if there is one. */
  readonly engine?: (() => Pick<EngineStats, "up">) | undefined;
}

/** A store that is away is no reason to send requests elsewhere: the spool takes them. But somebody should know. */
export function storeCheck({ health, engine }: StoreCheckOptions): Check {
  if (engine?.().up === false) {
    return warn("store", "The embedded engine restarts or hangs; the spool holds what comes.");
  }
  if (health.problem === undefined) return ok("store");
  const since = new Date(health.failingSince ?? 0).toISOString();
  return warn("store", `Storing fails since ${since} (${health.problem.slice(0, 300)}); the spool holds what comes.`);
}

export interface WatchdogCheckOptions {
  /** Milliseconds since the epoch; `null` before the first scan. */
  readonly lastScanAt: number | null;
  readonly scanMillis: number;
  readonly now: number;
}

const LATE_SCANS = 10;
const LATE_MILLIS = 30_000;

/** A silent watchdog is not a healthy one. */
export function watchdogCheck({ lastScanAt, scanMillis, now }: WatchdogCheckOptions): Check {
  if (lastScanAt === null) return ok("watchdog", "No scan yet.");
  const age = now - lastScanAt;
  if (age <= Math.max(LATE_MILLIS, LATE_SCANS * scanMillis)) return ok("watchdog");
  return warn("watchdog", `The last scan for abandoned runs ended ${Math.round(age / 1_000)} s ago.`);
}

/** Half of all timers late by more is no service any more; a restart loses nothing, the spool is on disk. Milliseconds. */
const DEAD_P50_MILLIS = 5_000;
const SLOW_P99_MILLIS = 500;

export function eventLoopCheck(delay: { p50(): number; p99(): number }): Check {
  if (delay.p50() > DEAD_P50_MILLIS)
    return fail("event_loop", `Half of all timers are ${seconds(delay.p50())} s late.`);
  if (delay.p99() > SLOW_P99_MILLIS)
    return warn("event_loop", `One timer in a hundred is ${seconds(delay.p99())} s late.`);
  return ok("event_loop");
}

const seconds = (millis: number): string => (millis / 1_000).toFixed(1);
