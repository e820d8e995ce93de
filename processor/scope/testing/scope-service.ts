import { createAdminServer } from "../../admin/admin-server.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { type TokenEntry, tokenSha256 } from "../../auth/tokens.ts";
import type { WritableScopeSource } from "../../../instrumentation/scope/scope-source.ts";
import { createScopeResolver } from "../../../instrumentation/scope/scope-resolver.ts";
import { scopeRoutes } from "../scope-routes.ts";

export interface ScopeService {
  readonly url: string;
  close(): Promise<void>;
}

/** The service's scope routes behind its real server, over any source. */
export async function startScopeService(
  stored: WritableScopeSource,
  projectByToken: Readonly<Record<string, string>> = {},
): Promise<ScopeService> {
  const tokens = Object.entries(projectByToken).map(([token, project]): TokenEntry => ({
    sha256: tokenSha256(token),
    project,
    scopes: ["read", "write"],
  }));
  const policy = { fallback: { kind: "fixed", scope: "default" } } as const;
  const own = createScopeResolver({ sources: { cloud: stored }, authorize: () => ({ allowed: true }), policy });
  const routes = scopeRoutes({
    stored,
    policy,
    stage: "observe",
    now: Date.now,
    check: () => own.check(),
    atStartUp: () => own.last(),
  });
  const server = createAdminServer({
    port: 0,
    liveness: () => [],
    readiness: () => [],
    metrics: async () => ({ status: "ok", text: "" }),
    authenticator: createAuthenticator({ tokens }),
    routes: () => routes,
  });
  await server.start();
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.shutdown() };
}
