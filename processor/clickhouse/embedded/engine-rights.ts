import { createHash, timingSafeEqual } from "node:crypto";

import { createTokenTable, type TokenEntry } from "../../auth/tokens.ts";
import { EngineError } from "./engine-error.ts";
import type { Role } from "./engine-settings.ts";

export interface ServiceCredentials {
  readonly username: string;
  readonly password: string;
}

/** What a request shows, however it came. */
export interface ShownCredential {
  readonly user: string;
  /** Of a bearer header the token. */
  readonly password: string;
}

/** Who asks, as far as the credential says. */
export interface Caller {
  readonly role: Role;
  /** A reader of this project alone; without it a reader sees all projects. */
  readonly project?: string;
}

/** @throws EngineError AUTHENTICATION_FAILED, with the same words whatever is wrong with the credential. */
export type EngineRights = (shown: ShownCredential) => Caller;

/**
 * The service's own credential may write. Without tokens, user `default` without a password reads everything. With
 * tokens, the password is the token and decides alone; the user name says nothing.
 */
export function createEngineRights(
  service: ServiceCredentials,
  tokens: readonly TokenEntry[] | undefined,
): EngineRights {
  const table = tokens === undefined ? undefined : createTokenTable(tokens);
  return ({ user, password }) => {
    if (user === service.username && isSame(password, service.password)) return { role: "service" };
    if (table === undefined) {
      if (user === "default" && password === "") return { role: "reader" };
      throw authenticationFailed();
    }
    const entry = table.find(password);
    if (entry?.scopes.includes("admin")) return { role: "reader" };
    if (entry?.scopes.includes("read")) return { role: "reader", project: entry.project };
    throw authenticationFailed();
  };
}

function authenticationFailed(): EngineError {
  const reason = "Authentication failed: password is incorrect, or there is no user with such name.";
  return new EngineError(516, "AUTHENTICATION_FAILED", reason);
}

/** Digests have one length, so the comparison takes the same time for every guess. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
