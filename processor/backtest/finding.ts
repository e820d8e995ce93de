import type { Reason } from "../../instrumentation/contract/verdict.ts";
import type { HistoryRun, RunKey } from "./history.ts";

/** A run that ended well, or at least without a word, and breaks the contract. */
export interface Finding extends RunKey {
  readonly traceId: string;
  /** What is stored: `passed` or whatever it was taken for. */
  readonly storedStatus: string;
  readonly failureClass: string;
  /** Weightiest first. */
  readonly reasons: readonly Reason[];
}

const MAX_REASONS = 10;
const MAX_EVIDENCE = 10;
const MAX_TEXT = 500;

/** Bounded: what a run says of itself may be of any size. */
export const findingOf = (run: HistoryRun, reasons: readonly Reason[]): Finding => ({
  startedAt: run.startedAt,
  project: run.project,
  runId: run.runId,
  traceId: run.traceId,
  storedStatus: run.status,
  failureClass: reasons[0]?.code ?? "",
  reasons: reasons.slice(0, MAX_REASONS).map((reason) => ({
    ...reason,
    message: cut(reason.message),
    evidence: reason.evidence.slice(0, MAX_EVIDENCE).map(({ kind, id }) => ({ kind, id: cut(id) })),
  })),
});

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);

/** Newest first: the order of the list, whatever the order they were found in. */
export function byNewest(a: RunKey, b: RunKey): number {
  const byTime = b.startedAt.length - a.startedAt.length || compare(b.startedAt, a.startedAt);
  return byTime || compare(a.project, b.project) || compare(a.runId, b.runId);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The newest of both lists. */
export const newestOf = (a: readonly Finding[], b: readonly Finding[], limit: number): readonly Finding[] =>
  b.length === 0 ? a : [...a, ...b].sort(byNewest).slice(0, limit);
