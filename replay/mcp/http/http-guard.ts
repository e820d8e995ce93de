import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "../../../processor/auth/exposure.ts";

/**
 * Why a request does not get in, whoever it is from; `undefined` when it may. A web page cannot choose these headers: one
 * that rebinds its own name to this address shows that name as `Host`, one from elsewhere shows itself as `Origin`.
 */
export function strangerProblem({ host, origin }: IncomingHttpHeaders, boundHost: string): string | undefined {
  if (host === undefined || host === "") return "a Host header is needed";
  if (isLoopback(boundHost) && !isLoopback(hostName(host))) return "unknown Host";
  if (origin === undefined) return undefined;
  return origin === `http://${host}` || origin === `https://${host}` ? undefined : "unknown Origin";
}

/** `[::1]:9465` and `localhost:9465` without port and brackets. */
const hostName = (host: string): string => host.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1");
