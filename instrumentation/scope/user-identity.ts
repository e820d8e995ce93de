import { userInfo } from "node:os";

/** The user this process runs as, for the fallback `identity`; `null` when the system does not know one. */
export function userIdentity(): string | null {
  try {
    return userInfo().username || null;
  } catch {
    return null;
  }
}
