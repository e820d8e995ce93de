import type { SideEffectClass } from "../contract/evidence.ts";
import { currentScope } from "../run/run-scope.ts";

/** What the current run's contract says that a tool may do. A tool that nobody described may change anything. */
export function sideEffectInContract(tool: string, otherwise: SideEffectClass = "write"): SideEffectClass {
  const said = currentScope()?.run.contract.tools?.sideEffects;
  return (said !== undefined && Object.hasOwn(said, tool) ? said[tool] : undefined) ?? otherwise;
}
