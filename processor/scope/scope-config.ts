import { z } from "zod";
import { isScopeName, SCOPE_NAME_RULE } from "../../instrumentation/scope/scope-name.ts";
import { SCOPE_STAGES } from "../../instrumentation/scope/scope-stage.ts";

/** `identity`: a namespace of the user's own. `fail`: nothing. Anything else: this project. */
export const scopeFallbackSchema = z.string().refine(isScopeName, SCOPE_NAME_RULE);

/** The part of the service configuration for its own project scope, to spread into its schema. */
export const scopeConfigShape = {
  /** Runtime override of the project scope. Not checked here: what is no scope is unresolved, and told. */
  project: z.string().optional(),
  /** File with the local persisted scope, from the working folder. */
  scopeFile: z.string().min(1).default(".runproof/scope.json"),
  scopeStage: z.enum(SCOPE_STAGES).default("observe"),
  /** A project, `identity` or `fail`. */
  scopeFallback: scopeFallbackSchema.default("default"),
} as const;

const fragment = z.object(scopeConfigShape);
export type ScopeConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const SCOPE_VARIABLES: Readonly<Record<string, keyof ScopeConfig>> = {
  RUNPROOF_PROJECT: "project",
  RUNPROOF_SCOPE_FILE: "scopeFile",
  RUNPROOF_SCOPE_STAGE: "scopeStage",
  RUNPROOF_SCOPE_FALLBACK: "scopeFallback",
};
