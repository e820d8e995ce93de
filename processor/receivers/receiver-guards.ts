import { createAuthenticator } from "../auth/authenticator.ts";
import type { Authenticator, Identity, PresentedCredentials } from "../auth/identity.ts";
import { assertExposureAllowed } from "../auth/exposure.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { Refusal, RefusalReason } from "./intake-outcome.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { ReceiverTls } from "./receiver-tls.ts";

/** What stands between the network and the intake. Every receiver takes the same. */
export interface ReceiverGuards {
  /** Default: everybody is the project `default`. */
  readonly authenticator?: Authenticator;
  /** Default: no limit. */
  readonly rateLimiter?: RateLimiter;
  /** Default: no TLS. */
  readonly tls?: ReceiverTls;
  /** Bodies in memory, shared by the receivers that are given the same one. Default: `limits.maxBytesInMemory`. */
  readonly budget?: ByteBudget;
  /** Listen beyond loopback although nobody is asked who they are. Default: `false`. */
  readonly allowUnauthenticated?: boolean;
  /** Told of every request that is turned away before a consumer has seen it. Default: nobody. */
  readonly onRefused?: (reason: RefusalReason) => void;
}

/** @throws Error when the network could write without a credential */
export function assertGuarded(host: string, guards: ReceiverGuards): void {
  const guarded = guards.authenticator?.open === false || guards.tls?.requestCert === true;
  assertExposureAllowed({ host, guarded, allowUnauthenticated: guards.allowUnauthenticated ?? false });
}

const OPEN = createAuthenticator();

export const authenticatorOf = (guards: ReceiverGuards): Authenticator => guards.authenticator ?? OPEN;

/** The same words whatever is wrong with a credential: they must not help to guess one. */
const MESSAGES = {
  unauthenticated: "A valid credential is needed.",
  forbidden: "The credential does not allow this.",
} as const;

/** Who writes, or the refusal to answer with. */
export function admitWriter(authenticator: Authenticator, presented: PresentedCredentials): Identity | Refusal {
  const result = authenticator.authenticate(presented, "write");
  return "refused" in result ? { refused: result.refused, message: MESSAGES[result.refused] } : result;
}
