import type { RunEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { recordedToolCalls } from "../recorded-tool-calls.ts";
import type { Validator } from "../validator.ts";

/** Unknown is never green: lost spans, unread probes and cut values are said out loud. */
export const completeness: Validator = {
  name: "completeness",
  validate: (evidence) => ({ reasons: completenessReasons(evidence), proofs: [] }),
};

/** The same without a contract: what is missing from the record does not depend on what was promised. */
export function completenessReasons(evidence: RunEvidence): Reason[] {
  const gaps = [...evidence.gaps, ...(evidence.closing?.gaps ?? [])];
  const told = evidence.closing?.toolCallCount ?? 0;
  const seen = recordedToolCalls(evidence);
  if (seen < told) gaps.push(`${told - seen} of ${told} tool calls never arrived`);
  const toldExchanges = evidence.closing?.exchangeCount ?? 0;
  const seenExchanges = evidence.exchangeCount ?? 0;
  if (seenExchanges < toldExchanges) {
    gaps.push(`${toldExchanges - seenExchanges} of ${toldExchanges} HTTP exchanges never arrived`);
  }
  return gaps.map((gap) => ({
    code: "evidence_incomplete",
    clause: "",
    evidence: [{ kind: "run", id: evidence.runId }],
    message: gap,
  }));
}
