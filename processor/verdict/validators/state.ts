import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import type { Reason } from "../../../instrumentation/contract/verdict.ts";
import { NOTHING_FOUND, type Findings, type Validator } from "../validator.ts";

/** The observed state moved from where it had to be to where it must be. */
export const state: Validator = {
  name: "state",
  validate(evidence, contract) {
    const clause = contract.state;
    if (clause === undefined || evidence.closing === null) return NOTHING_FOUND;
    const observed = evidence.closing?.state ?? null;
    if (observed === null) return { reasons: [unread], proofs: [] };
    const reasons: Reason[] = [];
    if (clause.from !== undefined && !equal(clause.from, observed.before)) {
      reasons.push(mismatch("/state/from", `started from ${show(observed.before)}, not from ${show(clause.from)}`));
    }
    if (!clause.to.some((wanted) => equal(wanted, observed.after))) {
      const wanted = clause.to.map(show).join(" or ");
      reasons.push(mismatch("/state/to", `ended in ${show(observed.after)}, not in ${wanted}`));
    }
    return reasons.length > 0 ? { reasons, proofs: [] } : proven(observed.before, observed.after);
  },
};

const equal = (a: JsonValue, b: JsonValue): boolean => canonicalJson(a) === canonicalJson(b);
const show = (value: JsonValue): string => canonicalJson(value).slice(0, 200);

const unread: Reason = {
  code: "evidence_incomplete",
  clause: "/state",
  evidence: [{ kind: "state", id: "state" }],
  message: "the contract names a state, but the run has no reader that observed it",
};

const mismatch = (clause: string, text: string): Reason => ({
  code: "state_transition_mismatch",
  clause,
  evidence: [{ kind: "state", id: "state" }],
  message: `the observed state ${text}`,
});

const proven = (before: JsonValue, after: JsonValue): Findings => ({
  reasons: [],
  proofs: [
    { clause: "/state", evidence: [{ kind: "state", id: "state" }], observed: `${show(before)} -> ${show(after)}` },
  ],
});
