import { thrownText } from "../capture/error-class.ts";
import { withDeadline } from "./deadline.ts";
import type { JournalIntent, ScopeJournal } from "./scope-journal.ts";
import { readSource } from "./scope-snapshot.ts";
import type { ScopeReading, ScopeWriting, WritableScopeSource } from "./scope-source.ts";

/** What a write needs besides what it writes. */
export interface WriteSetting {
  readonly journal: ScopeJournal;
  readonly timeoutMillis: number;
  readonly now: () => number;
}

/** `written`: read again, and it is there. `conflict`: somebody else wrote. `failed`: see the explanation. */
export type WriteOutcome =
  | { readonly kind: "written"; readonly version: string }
  | { readonly kind: "conflict" | "failed"; readonly explanation: string };

/** Journal, write if nothing changed, read again, journal what came of it. Never rejects. */
export async function writeScope(
  intent: JournalIntent,
  source: WritableScopeSource,
  setting: WriteSetting,
): Promise<WriteOutcome> {
  try {
    await setting.journal.append(intent);
  } catch (error) {
    const explanation = `nothing was written, for the journal cannot be: ${thrownText(error).message}`;
    return { kind: "failed", explanation };
  }
  const writing = await attempt(intent, source, setting);
  const reading = await readSource(intent.target, source, setting.timeoutMillis);
  const outcome = outcomeOf(intent, writing, reading);
  try {
    await setting.journal.append(entryOf(intent, writing, setting.now()));
  } catch (error) {
    return { kind: "failed", explanation: `the journal does not have the outcome: ${thrownText(error).message}` };
  }
  return outcome;
}

async function attempt(
  { target, next, expected }: JournalIntent,
  source: WritableScopeSource,
  { timeoutMillis }: WriteSetting,
): Promise<ScopeWriting> {
  try {
    const write = (signal: AbortSignal) => source.write({ scope: next, expected }, signal);
    return await withDeadline(`writing ${target}`, timeoutMillis, write);
  } catch (error) {
    return { kind: "failed", problem: thrownText(error).message };
  }
}

function entryOf({ id }: JournalIntent, writing: ScopeWriting, at: number) {
  const base = { kind: "outcome", id, at } as const;
  if (writing.kind === "written") return { ...base, result: "done", version: writing.version } as const;
  const problem = writing.problem.slice(0, 500);
  return { ...base, result: writing.kind === "conflict" ? "conflict" : "unknown", problem } as const;
}

/** A write counts when it is read again: whoever answered it may have kept nothing. */
function outcomeOf(intent: JournalIntent, writing: ScopeWriting, reading: ScopeReading | undefined): WriteOutcome {
  if (writing.kind !== "written") {
    const what = writing.kind === "conflict" ? "nothing was written" : "it is not known whether it was written";
    return { kind: writing.kind, explanation: `${what}: ${writing.problem}` };
  }
  if (reading === undefined || reading.kind === "unreadable") {
    return { kind: "failed", explanation: `written, and cannot be read again: ${reading?.problem ?? "no source"}` };
  }
  const found = reading.kind === "present" ? reading.scope : null;
  if (reading.version === writing.version && found === intent.next)
    return { kind: "written", version: reading.version };
  if (reading.version === writing.version) {
    return { kind: "failed", explanation: "the source says it was written, and has kept something else" };
  }
  return { kind: "conflict", explanation: "written, and somebody else wrote right after it" };
}
