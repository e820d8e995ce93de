import type { CallKind } from "../capture/call-interceptor.ts";
import type { SideEffectClass } from "../contract/evidence.ts";
import type { CapturePolicy } from "../options.ts";
import type { PlanSlot } from "./call-plan.ts";

/** How one kind of external call is recorded. */
export interface CallSpec<Result> {
  readonly kind: CallKind;
  readonly name: string;
  readonly sideEffect: SideEffectClass;
  /** Per field: `full`, `redacted` or `hash`. Default: the `capture` option. */
  readonly capture?: { readonly arguments?: CapturePolicy; readonly result?: CapturePolicy };
  /** Error class of a result that says "error" without throwing; `null` for a good one. */
  readonly errorOf?: (result: Result) => string | null | undefined;
  /** Durable reference in a result: message id, booking number. */
  readonly referenceOf?: (result: Result) => string | null | undefined;
  /** What else the span says from its start; names come from `semconv.ts`, texts are redacted. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Id the model gave the call. */
  readonly callId?: string;
  /** Further tries after a throw. Default 0. */
  readonly retries?: number;
  /** Pause before the first retry, milliseconds; doubles each time. Default 100. */
  readonly retryWaitMillis?: number;
  /**
   * The call is only told of, and what it is made of (its HTTP exchanges) is recorded below it: a replay lets it happen
   * and answers those. Default false: a replay answers the call itself.
   */
  readonly isObserved?: boolean;
  /** For a spec that serves many calls: what they have in common is worked out once, and kept here. */
  readonly slot?: PlanSlot;
}
