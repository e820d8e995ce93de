export { completenessOf, type Completeness, type MissingField } from "./completeness.ts";
export { CONTENT_EVENT_PREFIX, EVALUATION_EVENT_PREFIX } from "./names.ts";
export { normaliseRun, type NormalisedRun } from "./normalise-run.ts";
export type * from "./normalised-step.ts";
export { STEP_MARKS } from "./kind-names.ts";
export { conversationOfRequest } from "./provider-body.ts";
