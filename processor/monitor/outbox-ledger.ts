/** Something that is to reach every one of its targets, once it is known there for good. */
export interface OutboxItem {
  /** The same content under the same key goes out once. */
  readonly key: string;
  /** Of one subject, later items wait for earlier ones at the same target. */
  readonly subject: string;
  readonly payload: unknown;
  readonly targets: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface ItemEntry extends OutboxItem {
  readonly kind: "item";
}

interface DoneEntry {
  readonly kind: "done";
  readonly key: string;
  readonly target: string;
  readonly outcome: "delivered" | "given_up";
}

interface KnownEntry {
  readonly kind: "known";
  readonly key: string;
}

export type OutboxEntry = ItemEntry | DoneEntry | KnownEntry;

interface OpenItem {
  readonly item: OutboxItem;
  readonly left: Set<string>;
}

/** What is under way, as the journal's entries tell it. */
export interface OutboxLedger {
  apply(entry: OutboxEntry): void;
  has(key: string): boolean;
  readonly open: ReadonlyMap<string, OpenItem>;
  /** Entries that say the same with less. */
  compacted(): OutboxEntry[];
}

/** Keys that are remembered after all is delivered; the store remembers the rest. */
const KNOWN_KEPT = 5_000;

export function createOutboxLedger(): OutboxLedger {
  const open = new Map<string, OpenItem>();
  const known = new Set<string>();

  function remember(key: string): void {
    known.add(key);
    for (const oldest of known) {
      if (known.size <= KNOWN_KEPT) break;
      known.delete(oldest);
    }
  }

  function done({ key, target }: DoneEntry): void {
    const found = open.get(key);
    found?.left.delete(target);
    if (found?.left.size !== 0) return;
    open.delete(key);
    remember(key);
  }

  return {
    apply(entry) {
      if (entry.kind === "done") done(entry);
      else if (entry.kind === "known") remember(entry.key);
      else if (!open.has(entry.key) && !known.has(entry.key)) {
        const { kind: _kind, ...item } = entry;
        open.set(entry.key, { item, left: new Set(item.targets) });
      }
    },
    has: (key) => open.has(key) || known.has(key),
    open,
    compacted: () => [
      ...[...known].map((key): OutboxEntry => ({ kind: "known", key })),
      ...[...open.values()].map(({ item, left }): OutboxEntry => ({ kind: "item", ...item, targets: [...left] })),
    ],
  };
}
