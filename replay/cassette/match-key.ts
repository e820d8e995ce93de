import type { CallKind } from "../../instrumentation/capture/call-interceptor.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import type { JsonObject, JsonValue } from "../../instrumentation/json/json.ts";
import { cutPointers } from "../../instrumentation/json/pointer.ts";
import type { IgnoreRule } from "./cassette.ts";

/** What of a call takes part in matching. */
export interface MatchableCall {
  readonly kind: CallKind;
  readonly name: string;
  readonly arguments?: JsonValue | undefined;
}

/** The call as it is compared: volatile argument fields cut, no arguments told apart from `null`. */
export function comparableCall(call: MatchableCall, ignore: readonly IgnoreRule[]): JsonObject {
  const pointers = ignore.filter((rule) => rule.name === "*" || rule.name === call.name).flatMap((r) => r.pointers);
  const base = { kind: call.kind, name: call.name };
  return call.arguments === undefined ? base : { ...base, arguments: cutPointers(call.arguments, pointers) };
}

/** SHA-256 of the canonical comparable call: equal for equal calls, whatever order their object keys came in. */
export const matchKey = (call: MatchableCall, ignore: readonly IgnoreRule[]): string =>
  hashJson(comparableCall(call, ignore));
