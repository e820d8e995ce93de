import { z } from "zod";
import { isScopeName, SCOPE_NAME_RULE } from "../../instrumentation/scope/scope-name.ts";
import { SCOPE_STAGES } from "../../instrumentation/scope/scope-stage.ts";

/** The section `scope` of `runproof.config.ts`: runproof's own project scope. */
export const scopeSchema = z.strictObject({
  /** How far convergence is rolled out. `RUNPROOF_SCOPE_STAGE` wins. Default `observe`. */
  stage: z.enum(SCOPE_STAGES).optional(),
  /** What holds when no source names a project: a project, `identity` or `fail`. `RUNPROOF_SCOPE_FALLBACK` wins. Default `default`. */
  fallback: z.string().refine(isScopeName, SCOPE_NAME_RULE).optional(),
  /** The local persisted scope, from the configuration's folder. `RUNPROOF_SCOPE_FILE` wins. Default `.runproof/scope.json`. */
  file: z.string().min(1).max(10_000).optional(),
  /** Operations endpoint of the service, the cloud and the authoriser. `RUNPROOF_OPERATIONS_URL` wins. Default `http://127.0.0.1:9464`. */
  operationsUrl: z.url({ protocol: /^https?$/ }).optional(),
});
