import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** The verification command ran when the run closed, and answered as agreed. */
export const verification: Validator = {
  name: "verification",
  validate(evidence, contract) {
    const clause = contract.verification;
    if (clause === undefined || evidence.closing === null) return NOTHING_FOUND;
    const seen = evidence.closing?.verification ?? null;
    const name = clause.command.join(" ");
    if (seen === null) return { reasons: [reason("evidence_incomplete", name, "was not run")], proofs: [] };
    if (seen.timedOut) {
      return {
        reasons: [reason("verification_failed", name, `did not end within ${clause.timeoutSeconds} s`)],
        proofs: [],
      };
    }
    if (seen.exitCode !== clause.exitCode) {
      const tail = seen.outputTail.trim().slice(-300);
      const text = `ended with ${seen.exitCode ?? "no exit code"}, not ${clause.exitCode}${tail === "" ? "" : `: ${tail}`}`;
      return { reasons: [reason("verification_failed", name, text)], proofs: [] };
    }
    const observed = `"${name}" ended with ${seen.exitCode} output sha256=${seen.outputSha256 ?? "none"}`;
    return {
      reasons: [],
      proofs: [{ clause: "/verification", evidence: [{ kind: "verification", id: name }], observed }],
    };
  },
};

const reason = (code: Reason["code"], name: string, text: string): Reason => ({
  code,
  clause: "/verification",
  evidence: [{ kind: "verification", id: name }],
  message: `the verification "${name}" ${text}`,
});
