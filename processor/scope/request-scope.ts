import type { AuthorizeScope } from "../../instrumentation/scope/authorize-scope.ts";
import type { ScopePolicy } from "../../instrumentation/scope/resolve-scope.ts";
import { createScopeResolver, type ScopeResolver } from "../../instrumentation/scope/scope-resolver.ts";
import type { ScopeSource } from "../../instrumentation/scope/scope-source.ts";
import type { ScopeStage } from "../../instrumentation/scope/scope-stage.ts";
import type { ApiRequest } from "../api/api-route.ts";
import type { Identity } from "../auth/identity.ts";

export interface RequestScopeOptions {
  /** What the service keeps for everybody whose credential names no project. */
  readonly stored: ScopeSource;
  readonly policy: ScopePolicy;
  readonly stage: ScopeStage;
  readonly now: () => number;
}

/**
 * The scope of one HTTP request: `?project=` is its runtime override, the credential's project (without credentials, what
 * the service keeps) the cloud default. Routes do their work in `withScope()` of it.
 */
export function requestScope(
  { query, identity }: Pick<ApiRequest, "query" | "identity">,
  { stored, policy, stage, now }: RequestScopeOptions,
): ScopeResolver {
  const project = query.get("project");
  return createScopeResolver({
    sources: {
      runtime: {
        read: () =>
          project === null ? { kind: "absent", version: "" } : { kind: "present", scope: project, version: project },
      },
      cloud: cloudOf(identity, stored),
    },
    authorize: credentialAllows(identity),
    policy,
    stage,
    now,
  });
}

/** What the service answers this credential when it asks for its scope. */
export const cloudOf = (identity: Identity | undefined, stored: ScopeSource): ScopeSource =>
  identity?.proven === true
    ? { read: () => ({ kind: "present", scope: identity.project, version: `credential-${identity.project}` }) }
    : stored;

/** A credential is for its project alone. Where nobody has to show one, every project is open. */
const credentialAllows =
  (identity: Identity | undefined): AuthorizeScope =>
  ({ scope }) =>
    identity?.proven !== true || scope === identity.project
      ? { allowed: true }
      : { allowed: false, reason: `the credential is for the project ${identity.project}` };
