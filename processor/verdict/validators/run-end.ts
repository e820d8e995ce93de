import type { RunEvidence } from "../../../instrumentation/contract/evidence.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import type { Findings, Validator } from "../validator.ts";

const ABANDON_TEXT = {
  died: "its process died while the run was open",
  clean_shutdown: "its process ended in an orderly way while the run was open",
  telemetry_lost: "its process went on sending, but the end of this run never arrived",
  unknown: "nothing was heard of it before the deadline",
} as const;

/** How the run ended: closed, thrown out of, or never closed at all. */
export const runEnd: Validator = { name: "run-end", validate: (evidence) => runEndFindings(evidence) };

/** The same findings without a contract: an abandoned run failed whatever it had promised. */
export function runEndFindings(evidence: RunEvidence): Findings {
  return { reasons: [...abandoned(evidence), ...stillOpen(evidence), ...aborted(evidence)], proofs: [] };
}

function abandoned(evidence: RunEvidence): Reason[] {
  if (evidence.phase !== "abandoned") return [];
  const cause = evidence.abandonCause ?? "unknown";
  return [reason(evidence, "run_abandoned", `the run was started and never closed: ${ABANDON_TEXT[cause]} (${cause})`)];
}

function stillOpen(evidence: RunEvidence): Reason[] {
  if (evidence.phase !== "open") return [];
  return [reason(evidence, "evidence_incomplete", "the run has not ended yet")];
}

function aborted(evidence: RunEvidence): Reason[] {
  const error = evidence.closing?.error ?? null;
  if (error === null) return [];
  return [reason(evidence, "run_aborted", `the run threw ${error.errorClass}: ${error.message}`)];
}

const reason = (evidence: RunEvidence, code: Reason["code"], message: string): Reason => ({
  code,
  clause: "",
  evidence: [{ kind: "run", id: evidence.runId }],
  message,
});
