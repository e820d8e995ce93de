import type { Reconciled } from "../../instrumentation/scope/reconcile-scope.ts";
import { scopeReport } from "../../instrumentation/scope/scope-report.ts";
import { RECONCILE_POLICIES, type ReconcilePolicy } from "../../instrumentation/scope/scope-stage.ts";
import type { ScopeStatus } from "../../instrumentation/scope/scope-status.ts";
import { loadConfig } from "../config.ts";
import { safeJson, safeLine } from "../safe-text.ts";
import { ownProjectScope } from "../scope/own-project-scope.ts";
import { EXIT } from "../worker/exit-codes.ts";
import type { CommandContext } from "./context.ts";
import { UsageError } from "./run-command-line.ts";
import { scopeText } from "./scope-text.ts";

export interface ScopeFlags {
  readonly project?: string;
  readonly stage?: string;
  readonly url?: string;
  readonly json?: true;
}

export interface ScopeReconcileFlags extends ScopeFlags {
  readonly policy: string;
}

/** `runproof scope status`: whether the sources agree, and whether the scope may be used. */
export async function scopeStatus(flags: ScopeFlags, context: CommandContext): Promise<number> {
  const status = await (await resolverOf(flags, context)).check("scope.status");
  context.stdout.write(flags.json ? safeJson(scopeReport(status)) : scopeText(status));
  return exitCodeOf(status);
}

/** `runproof scope resolve`: the scope alone on standard output, and nothing when there is none to work in. */
export async function scopeResolve(flags: ScopeFlags, context: CommandContext): Promise<number> {
  const outcome = await (await resolverOf(flags, context)).withScope("scope.resolve", (scope) => scope);
  if (flags.json) {
    const refusal = outcome.kind === "refused" ? { code: outcome.code, explanation: outcome.explanation } : null;
    context.stdout.write(safeJson({ ...scopeReport(outcome.status), executed: outcome.kind === "executed", refusal }));
  } else if (outcome.kind === "executed") context.stdout.write(`${outcome.scope}\n`);
  if (outcome.kind === "executed") return EXIT.ok;
  context.stderr.write(`error: no scope to work in (${outcome.code}): ${safeLine(outcome.explanation)}\n`);
  return exitCodeOf(outcome.status) === EXIT.environment ? EXIT.environment : EXIT.finding;
}

/** `runproof scope reconcile --policy <policy>` */
export async function scopeReconcile(flags: ScopeReconcileFlags, context: CommandContext): Promise<number> {
  const policy = RECONCILE_POLICIES.find((one) => one === flags.policy.replaceAll("-", "_"));
  if (policy === undefined) throw new UsageError(`--policy must be one of ${RECONCILE_POLICIES.join(", ")}`);
  const resolver = await resolverOf(flags, context);
  const outcome = await resolver.reconcile(policy);
  const { status, ...rest } = outcome;
  if (flags.json) context.stdout.write(safeJson({ outcome: { policy, ...rest }, ...scopeReport(status) }));
  else context.stdout.write(`${safeLine(reconciledText(policy, outcome))}\n${scopeText(status)}`);
  if (outcome.kind === "failed") return EXIT.environment;
  if (outcome.kind === "refused" || outcome.kind === "conflict") return Math.max(EXIT.finding, exitCodeOf(status));
  return exitCodeOf(status);
}

function reconciledText(policy: ReconcilePolicy, outcome: Reconciled): string {
  switch (outcome.kind) {
    case "written":
      return `written: the ${outcome.target} scope, by ${policy}; runproof scope undo puts it back`;
    case "unchanged":
      return `unchanged: the ${outcome.target} scope needs nothing`;
    case "refused":
      return `refused (${outcome.code}): ${outcome.explanation}`;
    default:
      return `${outcome.kind}: ${outcome.explanation}`;
  }
}

/** `runproof scope undo` */
export async function scopeUndo(flags: ScopeFlags, context: CommandContext): Promise<number> {
  const undone = await (await resolverOf(flags, context)).undo();
  if (flags.json) context.stdout.write(safeJson(undone));
  else if (undone.kind === "nothing") context.stderr.write("nothing to put back\n");
  else if (undone.kind === "undone") {
    const [from, to] = [undone.from ?? "nothing", undone.to ?? "nothing"];
    context.stdout.write(`put back: the ${undone.target} scope is ${safeLine(to)} again, it was ${safeLine(from)}\n`);
  } else context.stderr.write(`error: ${undone.kind}: ${safeLine(undone.explanation)}\n`);
  if (undone.kind === "undone" || undone.kind === "nothing") return EXIT.ok;
  const isAway = undone.kind === "failed" || (undone.kind === "refused" && undone.code === "target_unreadable");
  return isAway ? EXIT.environment : EXIT.finding;
}

async function resolverOf({ project, stage, url }: ScopeFlags, context: CommandContext) {
  return ownProjectScope({
    context,
    loaded: await loadConfig(context.cwd),
    project,
    stage,
    url,
    onDrift: ({ reason, action_required: action }) =>
      void context.stderr.write(`scope_drift_detected: ${reason}, ${action} is needed\n`),
  });
}

/** 0: in sync and authorised. 1: drifted, or not authorised. 3: a source or the authoriser did not answer. */
function exitCodeOf({ state, authorized, authorization, findings, resolution }: ScopeStatus): number {
  const isAway =
    authorization.kind === "failed" ||
    (resolution.kind === "unresolved" && resolution.code === "source_unreadable") ||
    findings.some(({ reason }) => reason.endsWith("_unreadable"));
  if (isAway) return EXIT.environment;
  return state === "SYNCED" && authorized ? EXIT.ok : EXIT.finding;
}
