import type { Validator } from "../validator.ts";
import { answer } from "./answer.ts";
import { artifacts } from "./artifacts.ts";
import { blockedDependency } from "./blocked-dependency.ts";
import { changes } from "./changes.ts";
import { claims } from "./claims.ts";
import { completeness } from "./completeness.ts";
import { evidencePaths } from "./evidence-paths.ts";
import { limits } from "./limits.ts";
import { mutations } from "./mutations.ts";
import { navigation } from "./navigation.ts";
import { runEnd } from "./run-end.ts";
import { sideEffects } from "./side-effects.ts";
import { state } from "./state.ts";
import { tools } from "./tools.ts";
import { unrecordedOperations } from "./unrecorded-operations.ts";
import { unseenOutcomes } from "./unseen-outcomes.ts";
import { verification } from "./verification.ts";

/** Every validator there is. The order means nothing: `judge()` sorts what they find. */
export const VALIDATORS: readonly Validator[] = [
  answer,
  artifacts,
  blockedDependency,
  changes,
  claims,
  completeness,
  evidencePaths,
  limits,
  mutations,
  navigation,
  runEnd,
  sideEffects,
  state,
  tools,
  unrecordedOperations,
  unseenOutcomes,
  verification,
];
