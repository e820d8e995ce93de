import { context, trace } from "@opentelemetry/api";
import { callInterceptor, type CallAnswer } from "../capture/call-interceptor.ts";
import { captureValue, type CapturedValue } from "../capture/capture-value.ts";
import { errorClassOf, thrownText } from "../capture/error-class.ts";
import type { Attempt } from "../contract/evidence.ts";
import { failOpen, reportFailure } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import { parseJson } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import { attemptsText, callStart, captureText, valueAttribute, type CallField } from "./call-attributes.ts";
import type { CallSpec } from "./call-spec.ts";
import { openCallSpan, type CallEnd, type CallSpan } from "./call-span.ts";
import { currentScope, inScope, newScope, nextCallPath, type StepScope } from "./run-scope.ts";

/**
 * A call on its way. For those who are told of a call's beginning and end and do not make it themselves; `recordCall()`
 * does both. Exactly one of `returned` and `threw` ends it; what comes after that changes nothing. Nothing here throws.
 */
export interface OpenedCall {
  /** Runs `work` as a part of this call: calls made inside are its children. */
  within<Result>(work: () => Result): Result;
  /** What a replay answers in place of the call, or `undefined` when it has to be made. Rejects for a miss. */
  answer(): Promise<CallAnswer | undefined>;
  /** One try, in order. */
  attempted(attempt: Attempt): void;
  returned(result: unknown): void;
  threw(error: unknown): void;
}

/** Opens a call under the current run; `undefined` when there is none, or it is being closed. */
export function openCall(given: CallSpec<unknown>, args: unknown): OpenedCall | undefined {
  const scope = currentScope();
  const spec: CallSpec<unknown> = scope?.observing === true ? { ...given, kind: "probe" } : given;
  if (scope === undefined || (scope.run.closing !== undefined && spec.kind !== "probe")) return undefined;
  const call = beginCall(scope, spec, args);
  const place = newScope(scope.run, call.path, call.span?.spanId ?? scope.spanId);
  const within = { ...place, observing: scope.observing };
  let isOver = false;
  const finish = (end: () => CallEnd): void => {
    if (isOver) return;
    isOver = true;
    // A call whose end cannot be told is missing from the record, and the count of calls says so.
    failOpen("recording the end of a call", () => call.span?.end(end()), undefined);
  };
  return {
    within(work) {
      const active = call.span?.otel === undefined ? context.active() : trace.setSpan(context.active(), call.span.otel);
      return inScope(within, () => context.with(active, work));
    },
    answer: () => interceptedAnswer(spec, call),
    attempted: (attempt) => void call.attempts.push(attempt),
    returned: (result) => finish(() => returnedEnd(spec, call, result)),
    threw: (error) => finish(() => thrownEnd(call, error)),
  };
}

interface BegunCall {
  readonly scope: StepScope;
  /** Redacted. */
  readonly name: string;
  readonly path: string;
  readonly given: CapturedValue | undefined;
  readonly span: CallSpan | undefined;
  readonly attempts: Attempt[];
}

function beginCall(scope: StepScope, spec: CallSpec<unknown>, args: unknown): BegunCall {
  if (spec.kind === "tool") scope.run.toolCallCount++;
  if (spec.kind !== "probe") scope.run.stepCount++;
  // Names come from the outside too (MCP servers), and the contract's names went through the same redactor.
  const name = failOpen("naming a call", () => scope.run.runtime.redactor.text(String(spec.name)), "unnamed");
  const path = nextCallPath(scope, name);
  const given = failOpen(
    "capturing arguments",
    () => capture(scope, spec, { value: args, field: "arguments" }),
    undefined,
  );
  const span = failOpen(
    "opening a call's span",
    () => openCallSpan(scope, callStart(spec, { ...toldOf(scope, spec), name, path, given })),
    undefined,
  );
  return { scope, name, path, given, span, attempts: [] };
}

function toldOf({ run }: StepScope, { callId, attributes }: CallSpec<unknown>) {
  const { redactor } = run.runtime;
  const told = Object.entries(attributes ?? NONE).map(([name, value]) => [name, redactor.text(value)] as const);
  return {
    callId: callId === undefined ? undefined : redactor.text(String(callId)),
    attributes: told.length === 0 ? NONE : Object.fromEntries(told),
  };
}

const NONE: Readonly<Record<string, string>> = {};

async function interceptedAnswer(spec: CallSpec<unknown>, call: BegunCall): Promise<CallAnswer | undefined> {
  const interceptor = callInterceptor();
  if (interceptor === undefined || spec.isObserved === true) return undefined;
  const text = call.given?.form === "hash" ? undefined : call.given?.text;
  const args = text === undefined ? undefined : parseJson(text);
  return await interceptor({ kind: spec.kind, name: call.name, path: call.path, arguments: args });
}

function returnedEnd(spec: CallSpec<unknown>, call: BegunCall, result: unknown): CallEnd {
  const { redactor } = call.scope.run.runtime;
  const errorClass = resultErrorClass(spec, call, result);
  const reference = failOpen("referenceOf()", () => spec.referenceOf?.(result) ?? null, null);
  const kept = capture(call.scope, spec, { value: result, field: "result" });
  return {
    attributes: {
      ...(kept.text === undefined ? {} : { [valueAttribute(spec.kind, "result")]: kept.text }),
      [semconv.ATTR_CALL_CAPTURE]: captureText(call.given, kept),
      [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(call.attempts),
      ...(errorClass === null ? {} : { [semconv.ATTR_ERROR_TYPE]: errorClass }),
      ...(reference === null ? {} : { [semconv.ATTR_CALL_REFERENCE]: redactor.text(String(reference)) }),
    },
    error: errorClass,
  };
}

/** Whether a result means failure is for `errorOf()` to say; when it cannot, the run's evidence is not complete. */
function resultErrorClass(spec: CallSpec<unknown>, { scope, name }: BegunCall, result: unknown): string | null {
  const { runtime, gaps } = scope.run;
  try {
    const said: unknown = spec.errorOf?.(result) ?? null;
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

function thrownEnd(call: BegunCall, error: unknown): CallEnd {
  const { redactor } = call.scope.run.runtime;
  const errorClass = errorClassOf(error);
  const { name, message } = thrownText(error);
  return {
    attributes: {
      [semconv.ATTR_CALL_CAPTURE]: captureText(call.given, undefined),
      [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(call.attempts),
      [semconv.ATTR_ERROR_TYPE]: errorClass,
      [semconv.ATTR_CALL_ERROR]: canonicalJson({
        name: redactor.text(name),
        message: redactor.text(message).slice(0, MAX_ERROR_MESSAGE),
      }),
    },
    error: errorClass,
  };
}

interface Captured {
  readonly value: unknown;
  readonly field: CallField;
}

function capture(scope: StepScope, spec: CallSpec<unknown>, { value, field }: Captured): CapturedValue {
  const { options, redactor } = scope.run.runtime;
  const policy = spec.capture?.[field] ?? options.capture;
  return captureValue(value, { policy, maxBytes: options.captureMaxBytes, redactor, label: `the ${field}` });
}
