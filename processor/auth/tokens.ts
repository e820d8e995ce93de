import { createHash, timingSafeEqual } from "node:crypto";
import type { Scope } from "./identity.ts";

/** One token of the configuration. */
export interface TokenEntry {
  /** SHA-256 of the token, 64 hex digits. The token itself need not be on the machine. */
  readonly sha256: string;
  readonly project: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the epoch; from then on the token is unknown. Default: never. */
  readonly expiresAtMillis?: number;
}

export interface TokenTable {
  readonly size: number;
  /** The entry of a token that is valid now. Takes the same time wherever in the table it is, and when it is not. */
  find(token: string): TokenEntry | undefined;
}

export const tokenSha256 = (token: string): string => digestOf(token).toString("hex");

/** `now`: milliseconds since the epoch. */
export function createTokenTable(entries: readonly TokenEntry[], now: () => number = Date.now): TokenTable {
  const rows = entries.map((entry) => ({ entry, digest: Buffer.from(entry.sha256, "hex") }));
  return {
    size: rows.length,
    find(token) {
      const digest = digestOf(token);
      let found: TokenEntry | undefined;
      // No early end: the time must not tell how far the search went.
      for (const row of rows) if (timingSafeEqual(row.digest, digest)) found = row.entry;
      return found !== undefined && now() < (found.expiresAtMillis ?? Infinity) ? found : undefined;
    },
  };
}

const digestOf = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Longer headers are no token: hashing must not be a way to spend our time. */
const MAX_HEADER_LENGTH = 4_096;

/** The token of an `Authorization: Bearer` header (RFC 6750), `undefined` for everything else. */
export function bearerToken(authorization: string): string | undefined {
  if (authorization.length > MAX_HEADER_LENGTH) return undefined;
  return /^bearer +([\w\-.~+/]+=*)$/i.exec(authorization.trim())?.[1];
}
