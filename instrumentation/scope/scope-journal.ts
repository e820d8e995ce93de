import { z } from "zod";
import { RECONCILE_POLICIES } from "./scope-stage.ts";

const text = z.string().max(2_000);
const at = z.number();

const intent = z.strictObject({
  kind: z.literal("intent"),
  id: text,
  at,
  /** `undo` puts back what the write `undoes` replaced. */
  policy: z.enum([...RECONCILE_POLICIES, "undo"]),
  undoes: text.optional(),
  target: z.enum(["local", "cloud"]),
  /** What was there, and what shall be; `null`: nothing. */
  previous: text.nullable(),
  next: text.nullable(),
  /** Version of what was there. */
  expected: text,
});

const outcome = z.strictObject({
  kind: z.literal("outcome"),
  id: text,
  at,
  /** `unknown`: the write may have happened. */
  result: z.enum(["done", "conflict", "unknown"]),
  /** Version of what was written; with `done`. */
  version: text.optional(),
  problem: text.optional(),
});

export const journalEntrySchema = z.discriminatedUnion("kind", [intent, outcome]);
export type JournalEntry = z.output<typeof journalEntrySchema>;
export type JournalIntent = z.output<typeof intent>;

/**
 * What was written, before it is written: append only. `append` resolves when the entry would survive a crash of the
 * machine; while it rejects nothing may be written.
 */
export interface ScopeJournal {
  append(entry: JournalEntry): Promise<void>;
  /** The oldest first. */
  entries(): Promise<readonly JournalEntry[]>;
}

/** For a process that may lose it. */
export function createMemoryJournal(): ScopeJournal {
  const entries: JournalEntry[] = [];
  return {
    append: async (entry) => void entries.push(entry),
    entries: async () => [...entries],
  };
}

/** What an undo would put back. */
export interface UndoableWrite {
  readonly intent: JournalIntent;
  /** Version that the journal says is there; `undefined` when it cannot know whether the write happened. */
  readonly version: string | undefined;
}

/** The newest write that happened, or may have, and was not put back; `undefined`: there is none. */
export function undoableWrite(entries: readonly JournalEntry[]): UndoableWrite | undefined {
  const outcomes = new Map(entries.flatMap((entry) => (entry.kind === "outcome" ? [[entry.id, entry] as const] : [])));
  const intents = entries.flatMap((entry) => (entry.kind === "intent" ? [entry] : []));
  const isDone = ({ id }: JournalIntent): boolean => outcomes.get(id)?.result === "done";
  const undone = new Set(intents.flatMap((one) => (one.undoes !== undefined && isDone(one) ? [one.undoes] : [])));
  const open = (one: JournalIntent): boolean =>
    one.policy !== "undo" && !undone.has(one.id) && outcomes.get(one.id)?.result !== "conflict";
  const newest = intents.findLast(open);
  if (newest === undefined) return undefined;
  if (!isDone(newest)) return { intent: newest, version: undefined };
  // Later ones may have been put back since, under versions of their own.
  const last = intents.findLast((one) => one.target === newest.target && isDone(one)) as JournalIntent;
  return { intent: newest, version: outcomes.get(last.id)?.version };
}
