import { context, trace } from "@opentelemetry/api";
import { callInterceptor, type CallAnswer } from "../capture/call-interceptor.ts";
import { captureValue, type CapturedValue } from "../capture/capture-value.ts";
import { errorClassOf, thrownText } from "../capture/error-class.ts";
import type { Attempt } from "../contract/evidence.ts";
import { failOpen, reportFailure } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import { parseJson, type JsonValue } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { CallSpec } from "./call-spec.ts";
import { attemptsText, callStart, captureText, valueAttribute, type CallField } from "./call-attributes.ts";
import { openCallSpan, type CallEnd, type CallSpan } from "./call-span.ts";
import { currentScope, inScope, newScope, nextCallPath, type StepScope } from "./run-scope.ts";

/**
 * Makes one external call and records it under the current run. What the call gives back or throws reaches the caller
 * unchanged; recording that goes wrong is dropped, and then counted as missing evidence when the run closes.
 */
export async function recordCall<Result>(
  given: CallSpec<Result>,
  args: unknown,
  execute: () => Promise<Result>,
): Promise<Result> {
  const scope = currentScope();
  const spec: CallSpec<Result> = scope?.observing === true ? { ...given, kind: "probe" } : given;
  if (scope === undefined || (scope.run.closing !== undefined && spec.kind !== "probe")) return await execute();
  const call = openCall(scope, spec as CallSpec<unknown>, args);
  const place = newScope(scope.run, call.path, call.span?.spanId ?? scope.spanId);
  const within = { ...place, observing: scope.observing };
  const active = call.span?.otel === undefined ? context.active() : trace.setSpan(context.active(), call.span.otel);
  try {
    const result = await inScope(within, () => context.with(active, () => answerOrExecute(spec, call, execute)));
    finish(call, () => returnedEnd(spec as CallSpec<unknown>, call, result));
    return result;
  } catch (error) {
    finish(call, () => thrownEnd(call, error));
    throw error;
  }
}

interface OpenCall {
  readonly scope: StepScope;
  /** Redacted. */
  readonly name: string;
  readonly path: string;
  readonly given: CapturedValue | undefined;
  readonly span: CallSpan | undefined;
  readonly attempts: Attempt[];
}

function openCall(scope: StepScope, spec: CallSpec<unknown>, args: unknown): OpenCall {
  if (spec.kind === "tool") scope.run.toolCallCount++;
  if (spec.kind !== "probe") scope.run.stepCount++;
  // Names come from the outside too (MCP servers), and the contract's names went through the same redactor.
  const name = failOpen("naming a call", () => scope.run.runtime.redactor.text(String(spec.name)), "unnamed");
  const path = nextCallPath(scope, name);
  const given = failOpen("capturing arguments", () => capture(scope, spec, args, "arguments"), undefined);
  const span = failOpen(
    "opening a call's span",
    () => openCallSpan(scope, callStart(spec, { name, callId: callIdOf(scope, spec), path, given })),
    undefined,
  );
  return { scope, name, path, given, span, attempts: [] };
}

const callIdOf = ({ run }: StepScope, { callId }: CallSpec<unknown>): string | undefined =>
  callId === undefined ? undefined : run.runtime.redactor.text(String(callId));

async function answerOrExecute<Result>(
  spec: CallSpec<Result>,
  call: OpenCall,
  execute: () => Promise<Result>,
): Promise<Result> {
  const answer = await interceptedAnswer(spec as CallSpec<unknown>, call);
  if (answer === undefined) return await executeWithRetries(spec, call, execute);
  call.attempts.push(...(answer.attempts ?? []));
  if (answer.outcome === "threw") throw answer.error;
  return answer.result as Result;
}

async function interceptedAnswer(spec: CallSpec<unknown>, call: OpenCall): Promise<CallAnswer | undefined> {
  const interceptor = callInterceptor();
  if (interceptor === undefined) return undefined;
  const text = call.given?.form === "hash" ? undefined : call.given?.text;
  const given: JsonValue | undefined = text === undefined ? undefined : parseJson(text);
  return await interceptor({ kind: spec.kind, name: call.name, path: call.path, arguments: given });
}

/** What a timer of Node can hold. */
const MAX_WAIT_MILLIS = 2 ** 31 - 1;

async function executeWithRetries<Result>(
  spec: CallSpec<Result>,
  call: OpenCall,
  execute: () => Promise<Result>,
): Promise<Result> {
  const retries = spec.retries ?? 0;
  let waitMillis = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await execute();
      call.attempts.push({ status: "ok", errorClass: null, waitMillis });
      return result;
    } catch (error) {
      call.attempts.push({ status: "error", errorClass: errorClassOf(error), waitMillis });
      if (!(attempt < retries)) throw error;
      waitMillis = Math.min((spec.retryWaitMillis ?? 100) * 2 ** attempt, MAX_WAIT_MILLIS);
      await new Promise((resolve) => setTimeout(resolve, waitMillis));
    }
  }
}

/** A call whose end cannot be told is missing from the record, and the count of calls says so. */
function finish(call: OpenCall, end: () => CallEnd): void {
  failOpen("recording the end of a call", () => call.span?.end(end()), undefined);
}

function returnedEnd(spec: CallSpec<unknown>, call: OpenCall, result: unknown): CallEnd {
  const { redactor } = call.scope.run.runtime;
  const errorClass = resultErrorClass(spec, call, result);
  const reference = failOpen("referenceOf()", () => spec.referenceOf?.(result) ?? null, null);
  const kept = capture(call.scope, spec, result, "result");
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
function resultErrorClass(spec: CallSpec<unknown>, { scope, name }: OpenCall, result: unknown): string | null {
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

function thrownEnd(call: OpenCall, error: unknown): CallEnd {
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

function capture(scope: StepScope, spec: CallSpec<unknown>, value: unknown, label: CallField): CapturedValue {
  const { options, redactor } = scope.run.runtime;
  const policy = spec.capture?.[label] ?? options.capture;
  return captureValue(value, { policy, maxBytes: options.captureMaxBytes, redactor, label: `the ${label}` });
}
