import type { CertifiedSide } from "../fixture/certificate-format.ts";
import type { ReplayOutcome, ReplayResult } from "../worker/replay-result.ts";

/** What the replays on one ref say together. */
export type SideSummary =
  | { readonly type: "steady"; readonly outcome: ReplayOutcome }
  | { readonly type: "flaky" }
  /** At least one replay was not judged; nothing is known. */
  | { readonly type: "unjudged"; readonly outcome: "errored" | "refused"; readonly explanation: string };

/** Pure: the replays of one ref. */
export function summariseSide(results: readonly ReplayResult[]): SideSummary {
  for (const { outcome, explanation } of results) {
    if (outcome === "errored" || outcome === "refused") return { type: "unjudged", outcome, explanation };
  }
  const [first] = results;
  if (first === undefined) return { type: "unjudged", outcome: "errored", explanation: "nothing was replayed" };
  // One failure may come in several shapes: a side that fails each time for other reasons is not steady either.
  const shapes = new Set(results.map(shapeOf));
  return shapes.size === 1 ? { type: "steady", outcome: first.outcome } : { type: "flaky" };
}

/** How often each outcome came. */
export function countOutcomes(results: readonly ReplayResult[]): CertifiedSide["outcomes"] {
  const counts: CertifiedSide["outcomes"] = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function shapeOf({ outcome, verdict }: ReplayResult): string {
  const codes = new Set(verdict?.reasons.map((reason) => reason.code));
  return JSON.stringify([outcome, verdict?.status ?? null, [...codes].sort()]);
}
