import type { Attempt } from "../contract/evidence.ts";
import type { JsonValue } from "../json/json.ts";

/**
 * What kind of external call is about to be made. A `probe` re-reads evidence while a run closes; `http` is one attempt
 * of an exchange that the agent's process has with the outside, alone or below a tool or model call.
 */
export const CALL_KINDS = ["tool", "model", "probe", "http"] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** One external call, described the way it is recorded: redacted, and placed by its call path. */
export interface CallRequest {
  readonly kind: CallKind;
  readonly name: string;
  /** Names and ordinals within the parent step, `plan#0/search#2`; independent of timing. */
  readonly path: string;
  /** Redacted arguments; `undefined` when they are not JSON. */
  readonly arguments: JsonValue | undefined;
}

/** An answer given in place of the real call. `attempts`: the tries it took, where the recording knows of more than one. */
export type CallAnswer =
  | { readonly outcome: "returned"; readonly result: JsonValue; readonly attempts?: readonly Attempt[] }
  /** `error` is thrown to the agent as it is. */
  | { readonly outcome: "threw"; readonly error: Error; readonly attempts?: readonly Attempt[] };

/**
 * Stands between a recorded call and the outside world. `undefined` lets the real call happen; a rejection reaches the
 * agent as the call's error. Used by the replay player; production has none.
 */
export type CallInterceptor = (request: CallRequest) => Promise<CallAnswer | undefined>;

// One slot for the process even when two copies of the package are loaded (sources and dist, or two versions).
const SLOT = Symbol.for("runproof.call-interceptor");
const slots = globalThis as unknown as Record<symbol, CallInterceptor | undefined>;

/** Installs (or with `undefined` removes) the interceptor of this process. */
export function setCallInterceptor(interceptor: CallInterceptor | undefined): void {
  slots[SLOT] = interceptor;
}

export const callInterceptor = (): CallInterceptor | undefined => slots[SLOT];
