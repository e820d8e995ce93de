import { thrownText } from "../capture/error-class.ts";
import { authorizeScope } from "./authorize-scope.ts";
import type { ReconcileSetting } from "./reconcile-scope.ts";
import { type JournalEntry, type JournalIntent, undoableWrite, type UndoableWrite } from "./scope-journal.ts";
import { readSource } from "./scope-snapshot.ts";
import { isWritable, type ScopeReading, scopeOf } from "./scope-source.ts";
import { type ScopeTarget, stageWrites } from "./scope-stage.ts";
import { writeScope } from "./write-scope.ts";

export type Undone =
  | {
      readonly kind: "undone";
      readonly target: ScopeTarget;
      readonly from: string | null;
      /** What was there before, and is again; `null`: nothing. */
      readonly to: string | null;
    }
  /** The journal has no write that was not put back. */
  | { readonly kind: "nothing" }
  | {
      readonly kind: "refused";
      readonly code: "changed_since" | "stage" | "read_only" | "unauthorized" | "target_unreadable" | "journal";
      readonly explanation: string;
    }
  | { readonly kind: "conflict" | "failed"; readonly explanation: string };

export const UNDO_OPERATION = "scope.undo";

type Refusal = Extract<Undone, { kind: "refused" }>;
const refused = (code: Refusal["code"], explanation: string): Refusal => ({ kind: "refused", code, explanation });

/**
 * Puts back what the newest write replaced, if what it wrote is still there. Calling it again puts back the one before.
 * Never rejects.
 */
export async function undoScope(setting: ReconcileSetting): Promise<Undone> {
  let entries: readonly JournalEntry[];
  try {
    entries = await setting.journal.entries();
  } catch (error) {
    return refused("journal", `the journal cannot be read: ${thrownText(error).message}`);
  }
  const write = undoableWrite(entries);
  if (write === undefined) return { kind: "nothing" };
  const { target } = write.intent;
  if (!stageWrites(setting.stage, target)) {
    return refused("stage", `the stage ${setting.stage} does not write the ${target} scope`);
  }
  const source = setting.sources[target];
  if (!isWritable(source)) return refused("read_only", `the ${target} scope cannot be written from here`);
  const reading = await readSource(target, source, setting.timeoutMillis);
  if (write.version === undefined && isStillBefore(write, reading)) return await undoBefore(setting, write);
  const problem = changedSince(write, reading) ?? (await forbidden(setting, write.intent.previous));
  if (problem !== undefined) return problem;
  const { previous, next, id } = write.intent;
  const { version } = reading as Exclude<ScopeReading, { kind: "unreadable" }>;
  const intent: JournalIntent = {
    kind: "intent",
    id: setting.newId(),
    at: setting.now(),
    policy: "undo",
    undoes: id,
    target,
    previous: next,
    next: previous,
    expected: version,
  };
  const outcome = await writeScope(intent, source, setting);
  return outcome.kind === "written" ? { kind: "undone", target, from: next, to: previous } : outcome;
}

/** It was not known whether the write had happened, and it has not. */
const isStillBefore = ({ intent }: UndoableWrite, reading: ScopeReading | undefined): boolean =>
  reading !== undefined && reading.kind !== "unreadable" && reading.version === intent.expected;

async function undoBefore(setting: ReconcileSetting, { intent: { id } }: UndoableWrite): Promise<Undone> {
  const problem = "the write never happened";
  try {
    await setting.journal.append({ kind: "outcome", id, at: setting.now(), result: "conflict", problem });
  } catch (error) {
    return refused("journal", `the journal cannot be written: ${thrownText(error).message}`);
  }
  return await undoScope(setting);
}

/** Somebody wrote after us, and that stands. */
function changedSince({ intent, version }: UndoableWrite, reading: ScopeReading | undefined): Refusal | undefined {
  const { target, next } = intent;
  if (reading === undefined || reading.kind === "unreadable") {
    return refused("target_unreadable", `the ${target} scope cannot be read: ${reading?.problem ?? "no source"}`);
  }
  const found = scopeOf(reading);
  if (found === next && (version === undefined || version === reading.version)) return undefined;
  const what = found === null ? "nothing" : JSON.stringify(found);
  return refused("changed_since", `the ${target} scope is no longer what was written; it says ${what}`);
}

async function forbidden(setting: ReconcileSetting, scope: string | null): Promise<Refusal | undefined> {
  if (scope === null) return undefined;
  const request = { scope, operation: UNDO_OPERATION };
  const answer = await authorizeScope(setting.authorize, request, setting.timeoutMillis);
  if (answer.kind === "granted") return undefined;
  return refused("unauthorized", `the scope ${scope} is not authorised: ${"reason" in answer ? answer.reason : ""}`);
}
