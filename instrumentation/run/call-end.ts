import { captureValue, NOT_LOOKED_AT, type CapturedValue } from "../capture/capture-value.ts";
import { errorClassOf, thrownText } from "../capture/error-class.ts";
import type { Attempt } from "../contract/evidence.ts";
import { failOpen, reportFailure } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import * as semconv from "../semconv.ts";
import { attemptsText, captureText, valueAttribute, type CallField } from "./call-attributes.ts";
import type { CallPlan } from "./call-plan.ts";
import type { CallEnd } from "./call-span.ts";
import type { CallSpec } from "./call-spec.ts";

/** A call that comes to its end. */
export interface EndingCall {
  readonly spec: CallSpec<unknown>;
  readonly plan: CallPlan;
  /** Its arguments, as captured. */
  readonly given: CapturedValue | undefined;
  readonly attempts: readonly Attempt[];
  /** What went unobserved in the run. */
  readonly gaps: Set<string>;
}

export function returnedEnd(call: EndingCall, result: unknown): CallEnd {
  const { spec, plan } = call;
  const { redactor } = plan.runtime;
  const error = spec.errorOf === undefined ? null : resultErrorClass(call, spec.errorOf, result);
  const { referenceOf } = spec;
  const reference =
    referenceOf === undefined ? null : failOpen("referenceOf()", () => referenceOf(result) ?? null, null);
  const kept = capture(plan, "result", result);
  const attributes: Record<string, string> = {
    [semconv.ATTR_CALL_CAPTURE]: captureText(call.given, kept),
    [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(call.attempts),
  };
  if (kept.text !== undefined) attributes[valueAttribute(plan.kind, "result")] = kept.text;
  if (error !== null) attributes[semconv.ATTR_ERROR_TYPE] = error;
  if (reference !== null) attributes[semconv.ATTR_CALL_REFERENCE] = redactor.text(String(reference));
  return { attributes, error };
}

/** Whether a result means failure is for `errorOf()` to say; when it cannot, the run's evidence is not complete. */
function resultErrorClass(
  { plan: { name, runtime }, gaps }: EndingCall,
  errorOf: NonNullable<CallSpec<unknown>["errorOf"]>,
  result: unknown,
): string | null {
  try {
    const said: unknown = errorOf(result) ?? null;
    if (typeof said === "string" && said !== "") return runtime.redactor.text(said).slice(0, MAX_ERROR_CLASS);
    if (said === null || said === "") return null;
    gaps.add(`errorOf() of "${name}" gave no text`);
  } catch (error) {
    reportFailure("errorOf()", error);
    gaps.add(`errorOf() of "${name}" failed`);
  }
  return null;
}

const MAX_ERROR_CLASS = 200;
const MAX_ERROR_MESSAGE = 10_000;

export function thrownEnd({ plan, given, attempts }: EndingCall, error: unknown): CallEnd {
  const { redactor } = plan.runtime;
  const errorClass = errorClassOf(error);
  const { name, message } = thrownText(error);
  return {
    attributes: {
      [semconv.ATTR_CALL_CAPTURE]: captureText(given, undefined),
      [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(attempts),
      [semconv.ATTR_ERROR_TYPE]: errorClass,
      [semconv.ATTR_CALL_ERROR]: canonicalJson({
        name: redactor.text(name),
        message: redactor.text(message).slice(0, MAX_ERROR_MESSAGE),
      }),
    },
    error: errorClass,
  };
}

/** The recorded form of a call's arguments or result. */
export function capture(
  { runtime, argumentsPolicy, resultPolicy }: CallPlan,
  field: CallField,
  value: unknown,
): CapturedValue {
  const policy = field === "arguments" ? argumentsPolicy : resultPolicy;
  if (policy === "none") return NOT_LOOKED_AT;
  const { options, redactor } = runtime;
  return captureValue(value, { policy, maxBytes: options.captureMaxBytes, redactor, label: `the ${field}` });
}
