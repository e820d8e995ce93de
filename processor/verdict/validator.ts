import type { RunContract } from "../../instrumentation/contract/contract.ts";
import type { RunEvidence } from "../../instrumentation/contract/evidence.ts";
import type { Proof, Reason } from "../../instrumentation/contract/verdict.ts";

/** What one validator found: what is wrong, and what it saw proven. */
export interface Findings {
  readonly reasons: readonly Reason[];
  readonly proofs: readonly Proof[];
}

/**
 * Checks one clause of the contract against the evidence.
 *
 * - Pure: no clock, no random, no I/O; the same input gives the same findings.
 * - Order-free: lists of evidence are sets.
 * - Silent when the contract has no such clause.
 * - May throw on evidence it did not foresee; `judge()` turns that into `validator_error`, which is never green.
 */
export interface Validator {
  readonly name: string;
  validate(evidence: RunEvidence, contract: RunContract): Findings;
}

export const NOTHING_FOUND: Findings = { reasons: [], proofs: [] };
