import { type Authenticator, type AuthRefusal, DEFAULT_PROJECT, type Identity } from "./identity.ts";
import type { PresentedCredentials, Scope } from "./identity.ts";
import { bearerToken, createTokenTable, type TokenEntry } from "./tokens.ts";

export interface AuthenticatorOptions {
  /** Default: none. */
  readonly tokens?: readonly TokenEntry[];
  /** Project by a name on the client certificate: its CN, or a DNS, URI or e-mail name. Default: none. */
  readonly certificateProjects?: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const UNAUTHENTICATED: AuthRefusal = { refused: "unauthenticated" };
const FORBIDDEN: AuthRefusal = { refused: "forbidden" };
const ANYBODY: Identity = { project: DEFAULT_PROJECT, proven: false };

/**
 * A token that is shown decides, also against it; without one the client certificate does. Without tokens and
 * certificates configured everybody is the project `default`.
 */
export function createAuthenticator(options: AuthenticatorOptions = {}): Authenticator {
  const table = createTokenTable(options.tokens ?? [], options.now);
  const certificates = options.certificateProjects ?? new Map<string, string>();
  const open = table.size === 0 && certificates.size === 0;

  const byCertificate = (names: readonly string[]): Identity | AuthRefusal => {
    const projects = new Set(names.flatMap((name) => certificates.get(name) ?? []));
    const [project] = projects;
    // Names of two projects on one certificate prove neither.
    return project === undefined || projects.size > 1 ? UNAUTHENTICATED : { project, proven: true };
  };

  return {
    open,
    authenticate({ authorization, certificateNames }: PresentedCredentials, scope: Scope) {
      if (open) return ANYBODY;
      if (authorization === undefined)
        return byCertificate(certificates.size === 0 ? [] : (certificateNames?.() ?? []));
      const entry = table.find(bearerToken(authorization) ?? "");
      if (entry === undefined) return UNAUTHENTICATED;
      return entry.scopes.includes(scope) ? { project: entry.project, proven: true } : FORBIDDEN;
    },
  };
}
