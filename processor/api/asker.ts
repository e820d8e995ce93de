import type { IncomingMessage } from "node:http";
import { isLoopback } from "../auth/exposure.ts";
import type { Authenticator, Identity } from "../auth/identity.ts";
import type { ApiReply, ApiRoute } from "./api-route.ts";

export interface Guard {
  readonly authenticator: Authenticator;
  /** Where the server listens; beyond loopback only what is open is told without credentials. */
  readonly host: string;
  readonly allowUnauthenticated: boolean;
}

export interface ApiAnswer extends ApiReply {
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly access: ApiRoute["access"];
  /** Begins the refusal beyond loopback: `Metrics are not shown`. */
  readonly told: string;
}

/** Who asks, as far as anybody has to say at this endpoint, or the refusal. */
export function askerOf(
  { headers: { authorization } }: IncomingMessage,
  { access, told }: Asked,
  { authenticator, host, allowUnauthenticated }: Guard,
): { readonly identity: Identity | undefined } | ApiAnswer {
  if (authenticator.open) {
    if (access === "open" || isLoopback(host) || allowUnauthenticated) return { identity: undefined };
    const error = `${told} beyond loopback without tokens (tokensFile, allowUnauthenticated).`;
    return { status: 403, body: { error } };
  }
  const found = authenticator.authenticate({ authorization }, access === "open" ? "admin" : access);
  if (!("refused" in found)) return { identity: found };
  if (access === "open") return { identity: undefined };
  return found.refused === "forbidden"
    ? { status: 403, body: { error: "The credential does not allow this." } }
    : { status: 401, body: { error: "A valid credential is needed." }, headers: { "www-authenticate": "Bearer" } };
}

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
