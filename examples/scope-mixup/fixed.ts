import { createScopeResolver, type ScopeReading, type ScopeSource } from "../../instrumentation/index.ts";
import { createEditor } from "./editor.ts";

const said = (scope: string | null): ScopeSource => ({
  read: (): ScopeReading =>
    scope === null ? { kind: "absent", version: "" } : { kind: "present", scope, version: scope },
});

/**
 * The same editor with one resolver in place of two precedences: reading and writing happen in the one scope that was
 * resolved and authorised. That the cloud says something else is an event, `scope_drift_detected`, in the run.
 */
export default createEditor(async ({ item, percent }, { input, around, catalogue }) => {
  const resolver = createScopeResolver({
    sources: { runtime: said(input.project), local: said(around.local), cloud: said(around.cloud) },
    authorize: ({ scope }) =>
      Object.hasOwn(around.prices, scope) ? { allowed: true } : { allowed: false, reason: "no such catalogue" },
    policy: { fallback: { kind: "fail" } },
  });
  const outcome = await resolver.withScope("prices.raise", async (project) => {
    const before = await catalogue.price(project, item);
    const after = Math.round(before * (1 + percent / 100));
    await catalogue.setPrice(project, item, after);
    return { project, before, after };
  });
  if (outcome.kind === "refused") throw new Error(`${outcome.code}: ${outcome.explanation}`);
  return outcome.value;
});
