import { createHash, timingSafeEqual } from "node:crypto";

import { EngineError } from "./engine-error.ts";
import type { Role } from "./engine-settings.ts";

export interface ServiceCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * The service's own credential may write; user `default` without a password reads.
 * @throws EngineError AUTHENTICATION_FAILED for everybody else.
 */
export function roleOf(user: string, password: string, service: ServiceCredentials): Role {
  if (user === "default" && password === "") return "reader";
  if (user === service.username && isSame(password, service.password)) return "service";
  const reason = "Authentication failed: password is incorrect, or there is no user with such name.";
  throw new EngineError(516, "AUTHENTICATION_FAILED", `${user.slice(0, 64)}: ${reason}`);
}

/** Digests have one length, so the comparison takes the same time for every guess. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
