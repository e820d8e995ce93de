import type { Component } from "../component.ts";
import { backoffMillis, type BackoffOptions } from "../exporters/backoff.ts";
import type { Journal } from "./journal.ts";
import { createOutboxLedger, type OutboxEntry, type OutboxItem } from "./outbox-ledger.ts";

export type DeliveryOutcome =
  | { readonly status: "delivered" }
  /** `waitMillis`: what the other side asked for. */
  | { readonly status: "failed"; readonly message: string; readonly waitMillis?: number };

/** Where items go. The same item may come again after a crash: tell repetitions by its key. */
export interface DeliveryTarget {
  readonly name: string;
  /** Default: for ever. Milliseconds from the item's time; then it is given up, and said so. */
  readonly patienceMillis?: number;
  /** Never rejects. */
  deliver(item: OutboxItem, signal: AbortSignal): Promise<DeliveryOutcome>;
}

export interface OutboxOptions {
  readonly journal: Journal;
  readonly targets: readonly DeliveryTarget[];
  /** Items under way; beyond it `put` answers `full`. Default 10,000. */
  readonly maxOpen?: number;
  readonly backoff?: BackoffOptions;
  /** Time a stop grants the deliveries under way, milliseconds. Default 2,000. */
  readonly shutdownMillis?: number;
  readonly now: () => number;
  readonly onError: (what: string, error: unknown) => void;
}

export interface OutboxStats {
  /** Deliveries that have not been made. */
  readonly pending: number;
  readonly full: boolean;
  /** Since the start. */
  readonly delivered: number;
  readonly givenUp: number;
  /** Of the oldest item under way, milliseconds since the epoch. */
  readonly oldestAt: number | undefined;
}

/**
 * Takes items, and delivers each to all of its targets: at least once whatever happens to the process, and once as far as
 * it was recorded as delivered.
 */
export interface Outbox extends Component {
  /** `stored`: it is durable and will go out. `known`: it was put before. Rejects when the disk does not take it. */
  put(item: Omit<OutboxItem, "targets" | "at">): Promise<"stored" | "known" | "full">;
  /** What has not reached everybody, oldest first. */
  open(): readonly OutboxItem[];
  /** Whether the target still waits for the item. */
  waitsFor(key: string, target: string): boolean;
  stats(): OutboxStats;
}

const COMPACT_BYTES = 4 * 1024 * 1024;

export function createOutbox(options: OutboxOptions): Outbox {
  const { journal, targets, now, onError, maxOpen = 10_000 } = options;
  const ledger = createOutboxLedger();
  const names = targets.map(({ name }) => name);
  const stopping = new AbortController();
  const deadline = new AbortController();
  const retries = new Map<string, { failures: number; at: number }>();
  /** Delivered, and the disk did not take the word of it: it goes with the next one. */
  let untold: OutboxEntry[] = [];
  const wakers = new Set<() => void>();
  let compactAt = COMPACT_BYTES;
  let workers: Promise<void>[] = [];
  let stopped: Promise<void> | undefined;
  let delivered = 0;
  let givenUp = 0;

  const retryKey = (key: string, target: string): string => `${target}\n${key}`;

  function wake(): void {
    for (const waker of wakers) waker();
  }

  async function record(entries: readonly OutboxEntry[]): Promise<void> {
    const all = [...untold, ...entries];
    await journal.append(all);
    untold = untold.filter((entry) => !all.includes(entry));
    if (journal.bytes > compactAt) await compact();
  }

  async function compact(): Promise<void> {
    const entries = ledger.compacted();
    await journal.rewrite(entries).catch((error: unknown) => onError("making the alerts' journal smaller", error));
    compactAt = Math.max(COMPACT_BYTES, 2 * journal.bytes);
  }

  /** The next item of a target: the first that is due, of each subject only its oldest. */
  function nextFor(target: string): { readonly item?: OutboxItem; readonly waitMillis?: number } {
    const subjects = new Set<string>();
    let wait: number | undefined;
    for (const { item, left } of ledger.open.values()) {
      if (!left.has(target) || subjects.has(item.subject)) continue;
      subjects.add(item.subject);
      const due = (retries.get(retryKey(item.key, target))?.at ?? 0) - now();
      if (due <= 0) return { item };
      wait = Math.min(wait ?? due, due);
    }
    return wait === undefined ? {} : { waitMillis: wait };
  }

  async function work(target: DeliveryTarget): Promise<void> {
    while (!stopping.signal.aborted) {
      const { item, waitMillis } = nextFor(target.name);
      if (item === undefined) await pause(waitMillis);
      else await attempt(item, target);
    }
  }

  async function attempt(item: OutboxItem, target: DeliveryTarget): Promise<void> {
    const outcome = await target.deliver(item, deadline.signal);
    if (outcome.status === "delivered") return settle(item, target.name, "delivered");
    if (deadline.signal.aborted) return;
    onError(`telling ${target.name} of ${item.key}`, new Error(outcome.message));
    if (now() - item.at > (target.patienceMillis ?? Infinity)) return settle(item, target.name, "given_up");
    const key = retryKey(item.key, target.name);
    const failures = (retries.get(key)?.failures ?? 0) + 1;
    retries.set(key, { failures, at: now() + backoffMillis(failures, outcome.waitMillis, options.backoff) });
  }

  async function settle(item: OutboxItem, target: string, outcome: "delivered" | "given_up"): Promise<void> {
    const entry: OutboxEntry = { kind: "done", key: item.key, target, outcome };
    if (outcome === "delivered") delivered++;
    else givenUp++;
    ledger.apply(entry);
    retries.delete(retryKey(item.key, target));
    await record([entry]).catch((error: unknown) => {
      untold.push(entry);
      onError("recording that an alert was delivered", error);
    });
    wake();
  }

  const pause = (millis: number | undefined): Promise<void> =>
    new Promise((resolve) => {
      if (stopping.signal.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        wakers.delete(end);
        resolve();
      };
      const timer = millis === undefined ? undefined : setTimeout(end, millis);
      wakers.add(end);
    });

  async function start(): Promise<void> {
    for (const entry of await journal.open()) ledger.apply(entry as OutboxEntry);
    forgetLostTargets();
    await compact();
    workers = targets.map(work);
  }

  /** What a configuration no longer names cannot be told any more. */
  function forgetLostTargets(): void {
    for (const { item, left } of [...ledger.open.values()]) {
      for (const target of [...left]) {
        if (names.includes(target)) continue;
        onError(`telling ${target} of ${item.key}`, new Error("the target is not configured any more; given up"));
        ledger.apply({ kind: "done", key: item.key, target, outcome: "given_up" });
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    wake();
    const timer = setTimeout(() => deadline.abort(), options.shutdownMillis ?? 2_000);
    await Promise.all(workers);
    clearTimeout(timer);
    await journal.close();
  }

  return {
    start,
    shutdown: () => (stopped ??= stop()),
    async put(given) {
      if (ledger.has(given.key)) return "known";
      if (ledger.open.size >= maxOpen) return "full";
      const entry: OutboxEntry = { kind: "item", ...given, targets: names, at: now() };
      await record([entry]);
      ledger.apply(entry);
      wake();
      return "stored";
    },
    open: () => [...ledger.open.values()].map(({ item }) => item),
    waitsFor: (key, target) => ledger.open.get(key)?.left.has(target) === true,
    stats() {
      const [oldest] = ledger.open.values();
      const pending = [...ledger.open.values()].reduce((sum, { left }) => sum + left.size, 0);
      return { pending, full: ledger.open.size >= maxOpen, delivered, givenUp, oldestAt: oldest?.item.at };
    },
  };
}
