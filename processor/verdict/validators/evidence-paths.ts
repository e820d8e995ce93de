import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** The paths that show the work exist and are not empty: all of them, or the agreed number. */
export const evidencePaths: Validator = {
  name: "evidence-paths",
  validate(evidence, contract) {
    const clause = contract.evidencePaths;
    if (clause === undefined || evidence.closing === null) return NOTHING_FOUND;
    const seen = new Map((evidence.closing?.paths ?? []).map((path) => [path.path, path]));
    const good = clause.paths.filter((path) => seen.get(path)?.exists === true && seen.get(path)?.bytes !== 0);
    const proofs = good.map((path): Proof => ({
      clause: "/evidencePaths",
      evidence: [{ kind: "path", id: path }],
      observed: `${path} bytes=${seen.get(path)?.bytes ?? "unknown"}`,
    }));
    const needed = Math.min(clause.atLeast ?? clause.paths.length, clause.paths.length);
    if (good.length >= needed) return { reasons: [], proofs };
    const missing = clause.paths.filter((path) => !good.includes(path));
    const reasons = missing.map((path): Reason => ({
      code: "evidence_path_missing",
      clause: "/evidencePaths",
      evidence: [{ kind: "path", id: path }],
      message: `evidence path "${path}" ${seen.get(path)?.exists === true ? "is empty" : "does not exist"} (${good.length} of ${needed} found)`,
    }));
    return { reasons, proofs };
  },
};
