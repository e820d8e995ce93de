import { NOTHING_FOUND, type Validator } from "../validator.ts";

/** A strict replay did only what was recorded; a refused attempt counts, whatever the agent made of the refusal. */
export const unrecordedOperations: Validator = {
  name: "unrecorded-operations",
  validate({ runId, unrecordedOperations: tried = [] }) {
    if (tried.length === 0) return NOTHING_FOUND;
    const told = tried.slice(0, TOLD);
    const more = tried.length > TOLD ? [`and ${tried.length - TOLD} more`] : [];
    const reasons = [...told, ...more].map((what) => ({
      code: "unrecorded_operation" as const,
      clause: "",
      evidence: [{ kind: "run" as const, id: runId }],
      message: `strict replay refused what was never recorded: ${what}`,
    }));
    return { reasons, proofs: [] };
  },
};

/** Longer lists are in the replay's own report. */
const TOLD = 50;
