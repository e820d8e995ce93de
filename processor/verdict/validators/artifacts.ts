import type { ArtifactRequirement } from "../../../instrumentation/contract/contract.ts";
import type { ArtifactObservation } from "../../../instrumentation/contract/evidence.ts";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import type { Findings, Validator } from "../validator.ts";

/** Every required artifact was recorded, re-read, big enough, and of the declared shape. */
export const artifacts: Validator = {
  name: "artifacts",
  validate(evidence, contract) {
    if (evidence.closing === null) return { reasons: [], proofs: [] };
    const observed = evidence.closing?.artifacts ?? [];
    const found = contract.artifacts.map((required, index) =>
      checkRequired(
        required,
        `/artifacts/${index}`,
        observed.filter((seen) => seen.name === required.name),
      ),
    );
    return { reasons: found.flatMap((one) => one.reasons), proofs: found.flatMap((one) => one.proofs) };
  },
};

/** A retried artifact may be recorded several times: one good observation is enough, unless another was contradicted. */
function checkRequired(required: ArtifactRequirement, clause: string, seen: readonly ArtifactObservation[]): Findings {
  if (seen.length === 0) {
    return problem("missing_artifact_ref", clause, required.name, `artifact "${required.name}" was never recorded`);
  }
  const checked = seen.map((observation) => checkObservation(required, clause, observation));
  return { reasons: checked.flatMap((one) => one.reasons), proofs: checked.flatMap((one) => one.proofs) };
}

function checkObservation(required: ArtifactRequirement, clause: string, seen: ArtifactObservation): Findings {
  const named = `artifact "${required.name}" (${seen.ref})`;
  const because = seen.detail === null ? "" : `: ${seen.detail}`;
  const fail = (code: ReasonCode, text: string): Findings => problem(code, clause, required.name, `${named} ${text}`);
  if (seen.state === "missing") return fail("missing_artifact_ref", `does not exist${because}`);
  if (seen.state === "unreadable") return fail("artifact_unreadable", `cannot be read${because}`);
  if (seen.state === "unchecked") return fail("evidence_incomplete", `was not re-read${because}`);
  if (required.path !== undefined && seen.kind !== required.kind) {
    return fail("artifact_mismatch", `is a ${seen.kind}, the contract asks for a ${required.kind}`);
  }
  if (seen.bytes === null) return fail("evidence_incomplete", "has an unknown size");
  if (seen.bytes < required.minBytes) {
    return fail("empty_output", `has ${seen.bytes} bytes, the contract asks for ${required.minBytes}`);
  }
  return checkSchema(required, clause, seen);
}

function checkSchema(required: ArtifactRequirement, clause: string, seen: ArtifactObservation): Findings {
  if (required.schema !== undefined) {
    const errors = seen.schemaErrors;
    if (errors === null) {
      return problem("evidence_incomplete", clause, required.name, `the schema of "${required.name}" was not checked`);
    }
    if (errors.length > 0) {
      const text = `artifact "${required.name}" does not fit its schema: ${errors.slice(0, 5).join("; ")}`;
      return problem("schema_mismatch", `${clause}/schema`, required.name, text);
    }
  }
  const digest = seen.sha256 === null ? "" : ` sha256=${seen.sha256}`;
  const proof: Proof = {
    clause,
    evidence: [{ kind: "artifact", id: required.name }],
    observed: `${seen.ref} bytes=${seen.bytes}${digest}`,
  };
  return { reasons: [], proofs: [proof] };
}

function problem(code: ReasonCode, clause: string, name: string, message: string): Findings {
  const reason: Reason = { code, clause, evidence: [{ kind: "artifact", id: name }], message };
  return { reasons: [reason], proofs: [] };
}
