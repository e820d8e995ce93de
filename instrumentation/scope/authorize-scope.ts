import { thrownText } from "../capture/error-class.ts";
import { withDeadline } from "./deadline.ts";

export interface ScopeRequest {
  readonly scope: string;
  /** What is to be done there. */
  readonly operation: string;
}

export type ScopePermission = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Asked before every execution and every write. A rejection, and an answer that comes too late, is no permission. */
export type AuthorizeScope = (request: ScopeRequest, signal: AbortSignal) => Promise<ScopePermission> | ScopePermission;

/** What came of asking. Only `granted` lets anything happen. */
export type ScopeAuthorization =
  | { readonly kind: "granted" }
  | { readonly kind: "denied"; readonly reason: string }
  /** The question was not answered. */
  | { readonly kind: "failed"; readonly reason: string }
  /** There was no scope to ask about. */
  | { readonly kind: "not_asked" };

/** Never rejects. */
export async function authorizeScope(
  authorize: AuthorizeScope,
  request: ScopeRequest,
  timeoutMillis: number,
): Promise<ScopeAuthorization> {
  try {
    const answer = await withDeadline("the authoriser", timeoutMillis, (signal) => authorize(request, signal));
    // Compared with true: an answer of another form grants nothing.
    if (answer.allowed === true) return { kind: "granted" };
    return { kind: "denied", reason: String(answer.reason).slice(0, 500) };
  } catch (error) {
    return { kind: "failed", reason: thrownText(error).message.slice(0, 500) };
  }
}
