import type { CommandContext } from "../commands/context.ts";
import { loadConfig } from "../config.ts";
import { ownProjectScope } from "../scope/own-project-scope.ts";

/** How a call's project scope is settled: resolve, then authorise, then execute. A `ScopeResolver` is one. */
export interface OwnScope {
  /** Calls `work` only in a scope that is resolved and authorised. Rejects only with what `work` throws. */
  withScope<Result>(operation: string, work: (scope: string | undefined) => Result): Promise<Scoped<Awaited<Result>>>;
}

export type Scoped<Result> =
  | { readonly kind: "executed"; readonly value: Result }
  | { readonly kind: "refused"; readonly code: string; readonly explanation: string };

/** The scope of whoever calls with this environment. */
export type ScopeOf = (env: CommandContext["env"]) => Promise<OwnScope>;

/** A project that is known from the start, or `undefined` where everything the store shows may be seen. */
export const fixedScope = (project: string | undefined): OwnScope => ({
  withScope: async (_operation, work) => ({ kind: "executed", value: await work(project) }),
});

/**
 * The resolver of the command line, one for each credential, for as long as the server lives: so it notices when a source
 * changes under it. Settings that cannot be used refuse, as a scope that is not authorised does.
 */
export function resolvedScopes(cwd: string, log: (message: string) => void): ScopeOf {
  const known = new Map<string, Promise<OwnScope>>();
  const resolver = async (env: CommandContext["env"]): Promise<OwnScope> =>
    ownProjectScope({
      context: { env, cwd },
      loaded: await loadConfig(cwd),
      onDrift: ({ reason, action_required: action }) => log(`scope_drift_detected: ${reason}, ${action} is needed`),
    });
  return (env) => {
    const credential = env["RUNPROOF_OPERATIONS_TOKEN"] ?? "";
    const scope = known.get(credential) ?? resolver(env).catch(refusing);
    known.set(credential, scope);
    return scope;
  };
}

const refusing = (error: unknown): OwnScope => ({
  withScope: async () => ({
    kind: "refused",
    code: "unresolved",
    explanation: error instanceof Error ? error.message : String(error),
  }),
});
