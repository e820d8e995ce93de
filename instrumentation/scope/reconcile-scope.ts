import { establishScope, type ScopeSetting } from "./establish-scope.ts";
import type { JournalIntent, ScopeJournal } from "./scope-journal.ts";
import { isWritable, scopeOf, type WritableScopeSource } from "./scope-source.ts";
import { type ReconcilePolicy, type ScopeTarget, stageWrites, targetOf } from "./scope-stage.ts";
import type { ScopeStatus } from "./scope-status.ts";
import { writeScope } from "./write-scope.ts";

export type ReconcileRefusal =
  | "unresolved"
  | "unauthorized"
  /** The policy is `reject`: a person has to look. */
  | "manual_repair"
  | "no_runtime_override"
  /** The stage does not write there. */
  | "stage"
  | "read_only"
  | "target_unreadable";

export type Reconciled =
  /** `written`, or there already or nothing to write for (`unchanged`); whether all agree now is `status.state`. */
  | { readonly kind: "written" | "unchanged"; readonly target: ScopeTarget; readonly status: ScopeStatus }
  | {
      readonly kind: "refused";
      readonly code: ReconcileRefusal;
      readonly explanation: string;
      readonly status: ScopeStatus;
    }
  /** `conflict`: somebody else wrote meanwhile, and that stands. */
  | { readonly kind: "conflict" | "failed"; readonly explanation: string; readonly status: ScopeStatus };

export interface ReconcileSetting extends ScopeSetting {
  readonly journal: ScopeJournal;
  readonly newId: () => string;
  /** Told of every look, before anything is written. */
  readonly onStatus: (status: ScopeStatus) => void;
}

export const RECONCILE_OPERATION = "scope.reconcile";

/** Makes one source say what the policy wants, if the stage lets it, and looks again. Never rejects. */
export async function reconcileScope(setting: ReconcileSetting, policy: ReconcilePolicy): Promise<Reconciled> {
  const status = await establishScope(setting, RECONCILE_OPERATION);
  setting.onStatus(status);
  const plan = planOf(setting, status, policy);
  if ("kind" in plan) return plan;
  const { intent, source } = plan;
  // In sync there is nothing to converge: every write follows from drift that was told of.
  const isThere = intent.previous === intent.next || status.state === "SYNCED";
  if (isThere) return { kind: "unchanged", target: intent.target, status };
  const outcome = await writeScope(intent, source, setting);
  const after = await establishScope(setting, RECONCILE_OPERATION);
  setting.onStatus(after);
  if (outcome.kind !== "written") return { ...outcome, status: after };
  return { kind: "written", target: intent.target, status: after };
}

interface Plan {
  readonly intent: JournalIntent;
  readonly source: WritableScopeSource;
}

function planOf(setting: ReconcileSetting, status: ScopeStatus, policy: ReconcilePolicy): Plan | Reconciled {
  const refused = (code: ReconcileRefusal, explanation: string): Reconciled => ({
    kind: "refused",
    code,
    explanation,
    status,
  });
  const { resolution, authorization, snapshot } = status;
  if (resolution.kind === "unresolved") return refused("unresolved", `${resolution.source}: ${resolution.problem}`);
  if (authorization.kind !== "granted") {
    const reason = "reason" in authorization ? authorization.reason : "nobody was asked";
    return refused("unauthorized", `the scope ${resolution.scope} is not authorised: ${reason}`);
  }
  if (policy === "reject") return refused("manual_repair", "the policy leaves the repair to a person");
  if (policy === "runtime_to_local" && resolution.source !== "runtime") {
    return refused("no_runtime_override", "there is no runtime override to keep");
  }
  const target = targetOf(policy);
  if (!stageWrites(setting.stage, target)) {
    return refused("stage", `the stage ${setting.stage} does not write the ${target} scope`);
  }
  const source = setting.sources[target];
  if (!isWritable(source)) return refused("read_only", `the ${target} scope cannot be written from here`);
  const reading = snapshot[target];
  if (reading === undefined || reading.kind === "unreadable") {
    return refused("target_unreadable", `the ${target} scope cannot be read, so it is not overwritten`);
  }
  return {
    source,
    intent: {
      kind: "intent",
      id: setting.newId(),
      at: setting.now(),
      policy,
      target,
      previous: scopeOf(reading),
      next: resolution.scope,
      expected: reading.version,
    },
  };
}
