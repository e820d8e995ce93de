import type { ScopeStage } from "../scope-stage.ts";
import type { WorldState } from "./model-world.ts";

// The specification said once more, in another way than the resolver says it: the model is judged by this.

const FALLBACK = "safe";

/** Scope of a process at one moment; `null`: it has none and must do nothing. */
export function scopeBySpecification(runtime: string | null, { local, cloud, cloudDown }: WorldState): string | null {
  if (runtime !== null) return runtime;
  if (local !== null) return local;
  return cloudDown ? null : (cloud ?? FALLBACK);
}

export function isSyncedBySpecification(runtime: string | null, state: WorldState): boolean {
  const scope = scopeBySpecification(runtime, state);
  if (scope === null || state.cloudDown) return false;
  const said = [runtime, state.local, state.cloud].filter((one) => one !== null);
  // Whoever has no override must come to the same.
  return said.every((one) => one === scope) && scopeBySpecification(null, state) === scope;
}

/** Whether work in `scope` was right at this moment. */
export const mayExecute = (scope: string, runtime: string | null, stage: ScopeStage, state: WorldState): boolean =>
  scopeBySpecification(runtime, state) === scope &&
  state.allowed.includes(scope) &&
  !state.authorizerDown &&
  (stage !== "enforce" || isSyncedBySpecification(runtime, state));

/** Which writes a stage knows at all. */
export const MAY_WRITE: Readonly<Record<ScopeStage, readonly string[]>> = {
  observe: [],
  local: ["local"],
  cloud: ["local", "cloud"],
  enforce: ["local", "cloud"],
};
