import { thrownText } from "../capture/error-class.ts";
import { redactedAnswer } from "../capture/redacted-answer.ts";
import { parseClosingEvidence } from "../contract/closing-evidence.ts";
import type { ClosingEvidence } from "../contract/evidence.ts";
import { canonicalJson } from "../json/canonical.ts";
import { toJson } from "../json/json.ts";
import type { ActiveRun } from "./active-run.ts";
import type { CloseOutcome } from "./close-run.ts";
import { observeClose } from "./observe-close.ts";

/** Room for the rest of the record below the 8 MiB that the flush-now path takes. */
const MAX_EVIDENCE_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGE = 2_000;

/**
 * The run's closing evidence as canonical JSON, redacted. Never rejects and is always readable: evidence that cannot be
 * put together, or is too large to travel, is replaced by a gap that says so, because a run must close in any case.
 */
export async function closingEvidenceText(
  run: ActiveRun,
  outcome: CloseOutcome,
  errorClass: string | null,
): Promise<string> {
  try {
    const text = canonicalJson(toJson(await closingEvidence(run, outcome, errorClass)) ?? null);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_EVIDENCE_BYTES) return withoutEvidence(run, errorClass, `is ${bytes} bytes`);
    return parseClosingEvidence(text) === null ? withoutEvidence(run, errorClass, "does not hold together") : text;
  } catch (error) {
    const reason = run.runtime.redactor.text(thrownText(error).message).slice(0, MAX_MESSAGE);
    return withoutEvidence(run, errorClass, `could not be gathered: ${reason}`);
  }
}

async function closingEvidence(
  run: ActiveRun,
  outcome: CloseOutcome,
  errorClass: string | null,
): Promise<ClosingEvidence> {
  const { redactor } = run.runtime;
  if (outcome.answer !== undefined) run.setAnswer(outcome.answer);
  if (outcome.claim !== undefined) run.claim(outcome.claim.outcome, outcome.claim.detail);
  const observed = await observeClose(run);
  const { claimed, answer } = run;
  return {
    version: 1,
    claim: claimed === null ? null : { outcome: claimed.outcome, detail: redactor.text(claimed.detail) },
    error: errorClass === null ? null : { errorClass, message: errorMessage(run, outcome) },
    ...observed,
    ...redactedAnswer(answer, run.contract.answer, redactor),
    ...countsOf(run),
  };
}

const countsOf = (run: ActiveRun) => ({
  toolCallCount: run.toolCallCount,
  stepCount: run.stepCount,
  ...(run.exchangeCount === 0 ? {} : { exchangeCount: run.exchangeCount }),
  ...(run.silentRetryCount === 0 ? {} : { silentRetryCount: run.silentRetryCount }),
});

const errorMessage = (run: ActiveRun, { error }: CloseOutcome): string =>
  run.runtime.redactor.text(error?.message ?? "").slice(0, MAX_MESSAGE);

function withoutEvidence(run: ActiveRun, errorClass: string | null, why: string): string {
  const evidence: ClosingEvidence = {
    version: 1,
    claim: null,
    error: errorClass === null ? null : { errorClass, message: "" },
    artifacts: [],
    paths: [],
    changedPaths: null,
    state: null,
    verification: null,
    answer: null,
    ...countsOf(run),
    gaps: [`the closing evidence ${why}`],
  };
  return canonicalJson(toJson(evidence) ?? null);
}
