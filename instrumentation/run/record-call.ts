import { context, SpanKind, trace } from "@opentelemetry/api";
import { callInterceptor, type CallAnswer } from "../capture/call-interceptor.ts";
import { captureValue, type CapturedValue } from "../capture/capture-value.ts";
import { errorClassOf } from "../capture/error-class.ts";
import type { Attempt } from "../contract/evidence.ts";
import { failOpen } from "../fail-open.ts";
import { canonicalJson } from "../json/canonical.ts";
import { parseJson, type JsonValue } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { CallSpec } from "./call-spec.ts";
import { openCallSpan, type CallSpan } from "./call-span.ts";
import { currentScope, inScope, newScope, nextCallPath, type StepScope } from "./run-scope.ts";

/**
 * Makes one external call and records it under the current run. What the call gives back or throws reaches the caller
 * unchanged; recording that goes wrong is dropped, and then counted as missing evidence when the run closes.
 */
export async function recordCall<Result>(
  spec: CallSpec<Result>,
  args: unknown,
  execute: () => Promise<Result>,
): Promise<Result> {
  const scope = currentScope();
  if (scope === undefined || (scope.run.closing !== undefined && spec.kind !== "probe")) return await execute();
  const call = openCall(scope, spec as CallSpec<unknown>, args);
  const within = newScope(scope.run, call.path);
  const active = call.span?.otel === undefined ? context.active() : trace.setSpan(context.active(), call.span.otel);
  try {
    const result = await inScope(within, () => context.with(active, () => answerOrExecute(spec, call, execute)));
    failOpen("recording a result", () => finishReturned(spec as CallSpec<unknown>, call, result), undefined);
    return result;
  } catch (error) {
    failOpen("recording an error", () => finishThrown(call, error), undefined);
    throw error;
  }
}

interface OpenCall {
  readonly scope: StepScope;
  readonly path: string;
  readonly given: CapturedValue | undefined;
  readonly span: CallSpan | undefined;
  readonly attempts: Attempt[];
}

function openCall(scope: StepScope, spec: CallSpec<unknown>, args: unknown): OpenCall {
  const path = nextCallPath(scope, spec.name);
  if (spec.kind === "tool") scope.run.toolCallCount++;
  if (spec.kind !== "probe") scope.run.stepCount++;
  const given = failOpen("capturing arguments", () => capture(scope, spec.capture?.arguments, args), undefined);
  const span = failOpen(
    "opening a call's span",
    () => openCallSpan(scope.run, spanName(spec), callAttributes(spec, path, given), KINDS[spec.kind]),
    undefined,
  );
  return { scope, path, given, span, attempts: [] };
}

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
  return await interceptor({ kind: spec.kind, name: spec.name, path: call.path, arguments: given });
}

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
      if (attempt >= retries) throw error;
      waitMillis = (spec.retryWaitMillis ?? 100) * 2 ** attempt;
      await new Promise((resolve) => setTimeout(resolve, waitMillis));
    }
  }
}

function finishReturned(spec: CallSpec<unknown>, call: OpenCall, result: unknown): void {
  if (call.span === undefined) return;
  const errorClass = failOpen("errorOf()", () => spec.errorOf?.(result) ?? null, null);
  const reference = failOpen("referenceOf()", () => spec.referenceOf?.(result) ?? null, null);
  const kept = capture(call.scope, spec.capture?.result, result);
  call.span.end({
    attributes: {
      ...(kept.text === undefined ? {} : { [valueAttribute(spec.kind, "result")]: kept.text }),
      [semconv.ATTR_CALL_CAPTURE]: captureText(call.given, kept),
      [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(call.attempts),
      ...(errorClass === null ? {} : { [semconv.ATTR_ERROR_TYPE]: errorClass }),
      ...(reference === null ? {} : { [semconv.ATTR_CALL_REFERENCE]: call.scope.run.runtime.redactor.text(reference) }),
    },
    error: errorClass,
  });
}

function finishThrown(call: OpenCall, error: unknown): void {
  if (call.span === undefined) return;
  const errorClass = errorClassOf(error);
  const name = error instanceof Error ? error.name : "Error";
  const message = call.scope.run.runtime.redactor.text(error instanceof Error ? error.message : String(error));
  call.span.end({
    attributes: {
      [semconv.ATTR_CALL_CAPTURE]: captureText(call.given, undefined),
      [semconv.ATTR_CALL_ATTEMPTS]: attemptsText(call.attempts),
      [semconv.ATTR_ERROR_TYPE]: errorClass,
      [semconv.ATTR_CALL_ERROR]: canonicalJson({ name, message: message.slice(0, 10_000) }),
    },
    error: errorClass,
  });
}

function capture(scope: StepScope, policy: "full" | "redacted" | "hash" | undefined, value: unknown): CapturedValue {
  const { options, redactor } = scope.run.runtime;
  return captureValue(value, { policy: policy ?? options.capture, maxBytes: options.captureMaxBytes, redactor });
}

const KINDS = { tool: SpanKind.INTERNAL, model: SpanKind.CLIENT, probe: SpanKind.CLIENT } as const;

/** Names follow the GenAI conventions: `execute_tool {name}`, `chat {model}`. */
function spanName(spec: CallSpec<unknown>): string {
  if (spec.kind === "model") return `${semconv.OPERATION_CHAT} ${spec.name}`;
  return spec.kind === "tool" ? `${semconv.OPERATION_EXECUTE_TOOL} ${spec.name}` : `probe ${spec.name}`;
}

function callAttributes(
  spec: CallSpec<unknown>,
  path: string,
  given: CapturedValue | undefined,
): Record<string, string> {
  return {
    [semconv.ATTR_CALL_KIND]: spec.kind,
    [semconv.ATTR_CALL_PATH]: path,
    [semconv.ATTR_SIDE_EFFECT]: spec.sideEffect,
    ...(spec.kind === "tool"
      ? { [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_EXECUTE_TOOL, [semconv.ATTR_TOOL_TYPE]: "function" }
      : {}),
    ...(spec.kind === "model"
      ? { [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_CHAT, [semconv.ATTR_REQUEST_MODEL]: spec.name }
      : { [semconv.ATTR_TOOL_NAME]: spec.name }),
    ...(spec.callId === undefined ? {} : { [semconv.ATTR_TOOL_CALL_ID]: spec.callId }),
    ...(given?.text === undefined ? {} : { [valueAttribute(spec.kind, "arguments")]: given.text }),
  };
}

function valueAttribute(kind: CallSpec<unknown>["kind"], side: "arguments" | "result"): string {
  if (kind === "model") return side === "arguments" ? semconv.ATTR_MODEL_REQUEST : semconv.ATTR_MODEL_RESPONSE;
  return side === "arguments" ? semconv.ATTR_TOOL_CALL_ARGUMENTS : semconv.ATTR_TOOL_CALL_RESULT;
}

function captureText(given: CapturedValue | undefined, kept: CapturedValue | undefined): string {
  const form = (value: CapturedValue | undefined): JsonValue => ({
    form: value?.form ?? "hash",
    ...(value === undefined ? { problem: "the value could not be captured" } : {}),
    ...(value?.problem === undefined ? {} : { problem: value.problem }),
  });
  return canonicalJson({ arguments: form(given), ...(kept === undefined ? {} : { result: form(kept) }) });
}

const attemptsText = (attempts: readonly Attempt[]): string =>
  canonicalJson(attempts.map((one) => ({ status: one.status, error_class: one.errorClass, wait_ms: one.waitMillis })));
