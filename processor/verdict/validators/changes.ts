import { matchesGlob } from "node:path/posix";
import type { ReasonCode } from "../../../instrumentation/contract/reason-codes.ts";
import type { Proof, Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Findings, type Validator } from "../validator.ts";

/** The diff of the workspace touches what it should and nothing it must not. */
export const changes: Validator = {
  name: "changes",
  validate(evidence, contract) {
    const clause = contract.changes;
    if (clause === undefined || evidence.closing === null) return NOTHING_FOUND;
    const changed = evidence.closing?.changedPaths ?? null;
    if (changed === null) {
      return reasons([reason("evidence_incomplete", "/changes", "", "no diff of the workspace was taken")]);
    }
    const hits = (path: string, globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(path, glob));
    const forbidden = changed.filter((path) => hits(path, clause.forbidden));
    const outside = changed.filter(
      (path) => clause.allowed !== undefined && !hits(path, [...clause.allowed, ...clause.expected]),
    );
    const missing = clause.expected.filter((glob) => !changed.some((path) => matchesGlob(path, glob)));
    const proofs = clause.expected.flatMap((glob, index): Proof[] => {
      const path = changed.find((candidate) => matchesGlob(candidate, glob));
      if (path === undefined) return [];
      return [
        { clause: `/changes/expected/${index}`, evidence: [{ kind: "change", id: path }], observed: `changed ${path}` },
      ];
    });
    return {
      reasons: [
        ...forbidden.map((path) =>
          reason("forbidden_path", "/changes/forbidden", path, `"${path}" was changed and must not be`),
        ),
        ...outside.map((path) =>
          reason("forbidden_path", "/changes/allowed", path, `"${path}" was changed and is not on the list`),
        ),
        ...missing.map((glob) =>
          reason("expected_change_missing", "/changes/expected", glob, `nothing matching "${glob}" was changed`),
        ),
      ],
      proofs,
    };
  },
};

const reasons = (list: readonly Reason[]): Findings => ({ reasons: list, proofs: [] });

const reason = (code: ReasonCode, clause: string, id: string, message: string): Reason => ({
  code,
  clause,
  evidence: id === "" ? [] : [{ kind: "change", id }],
  message,
});
