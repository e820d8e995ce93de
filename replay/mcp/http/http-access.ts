import { createAuthenticator } from "../../../processor/auth/authenticator.ts";
import { bearerToken, type TokenEntry, tokenSha256 } from "../../../processor/auth/tokens.ts";

export interface HttpAccessOptions {
  /** One token for this server. Whoever shows it may do all the server does. */
  readonly token?: string | undefined;
  /** Tokens of the service, with their projects and scopes. Default: none. */
  readonly tokens?: readonly TokenEntry[];
  /** The project this server works for: tokens of others do not get in. Without it only the scope `admin` does. */
  readonly project?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Who may do what in a session. */
export interface Grant {
  readonly writes: boolean;
  /** The same for the same credential; a session belongs to it. */
  readonly holder: string;
  /** The token of the service that was shown: the store is asked with it, so that it decides what is seen. */
  readonly serviceToken?: string;
}

export type Access = { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly status: 401 | 403 };

export interface HttpAccess {
  /** Nobody has to show a credential. */
  readonly open: boolean;
  of(authorization: string | undefined): Access;
}

/** Everybody who reaches the machine's loopback may read; nobody unknown makes it run code. */
const OPEN: Access = { ok: true, grant: { writes: false, holder: "anybody" } };
const OWN_PROJECT = "mcp";

/**
 * `write` of the service's tokens means write tools, `read` or `admin` read tools. A token of the service is of use only
 * for the project this server works for: fixtures in its folder are that project's.
 */
export function createHttpAccess(options: HttpAccessOptions): HttpAccess {
  const { token, tokens = [], project, now } = options;
  const clock = now === undefined ? {} : { now };
  const own = createAuthenticator({ tokens: token === undefined ? [] : [entryOf(token)], ...clock });
  const service = createAuthenticator({ tokens, ...clock });
  const open = own.open && service.open;

  function ofService(authorization: string): Access {
    const [admin, read, write] = (["admin", "read", "write"] as const).map((scope) => {
      const result = service.authenticate({ authorization }, scope);
      return "refused" in result ? result.refused : result.project;
    });
    if (admin === "unauthenticated") return { ok: false, status: 401 };
    const isAdmin = admin !== "forbidden";
    if (!isAdmin && (read === "forbidden" || project === undefined || read !== project))
      return { ok: false, status: 403 };
    const shown = bearerToken(authorization) ?? "";
    const writes = write !== "forbidden" && (project === undefined || write === project);
    return { ok: true, grant: { writes, holder: tokenSha256(shown), serviceToken: shown } };
  }

  return {
    open,
    of(authorization) {
      if (open) return OPEN;
      if (authorization === undefined) return { ok: false, status: 401 };
      const isOwn = !own.open && !("refused" in own.authenticate({ authorization }, "read"));
      if (isOwn) return { ok: true, grant: { writes: true, holder: "own token" } };
      return service.open ? { ok: false, status: 401 } : ofService(authorization);
    },
  };
}

const entryOf = (token: string): TokenEntry => ({ sha256: tokenSha256(token), project: OWN_PROJECT, scopes: ["read"] });
