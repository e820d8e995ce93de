import type { CallKind } from "../../instrumentation/capture/call-interceptor.ts";
import type { Attempt, SideEffectClass } from "../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";

/** One external call of a run as its span recorded it: what a cassette is made from. */
export interface RecordedCall {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: CallKind;
  readonly name: string;
  readonly path: string;
  readonly callId: string;
  readonly sideEffect: SideEffectClass;
  /** A replay lets it happen and answers what it was made of; it is no interaction of a cassette. */
  readonly isObserved?: boolean;
  readonly arguments: JsonValue | undefined;
  /** SHA-256 of the canonical arguments where only that was kept, else `null`. */
  readonly argumentsSha256: string | null;
  /** What the call gave back; meaningless when `thrown` is set. */
  readonly result: JsonValue | undefined;
  /** The error it threw, or `null`. A call may carry an `errorClass` without having thrown. */
  readonly thrown: { readonly name: string; readonly message: string } | null;
  readonly errorClass: string | null;
  readonly attempts: readonly Attempt[];
  readonly reference: string | null;
  /** Nanoseconds since the epoch, decimal text. */
  readonly startUnixNano: string;
  readonly durationNano: string;
  /** Why this call cannot be answered from its record ("the result was kept as a hash"); empty when it can. */
  readonly problems: readonly string[];
}
