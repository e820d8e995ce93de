import { SpanKind } from "@opentelemetry/api";
import type { CallKind } from "../capture/call-interceptor.ts";
import { NOT_LOOKED_AT, type CapturedValue } from "../capture/capture-value.ts";
import type { Attempt, CaptureForm } from "../contract/evidence.ts";
import { canonicalJson } from "../json/canonical.ts";
import type { JsonValue } from "../json/json.ts";
import * as semconv from "../semconv.ts";
import type { CallPlan } from "./call-plan.ts";
import type { CallSpec } from "./call-spec.ts";
import type { CallStart } from "./call-span.ts";

export type CallField = "arguments" | "result";

/** What is told of a call alone: every text redacted. */
export interface OwnOfCall {
  readonly callId: string | undefined;
  readonly path: string;
  readonly given: CapturedValue | undefined;
}

/** How the span of a call begins. */
export const callStart = (
  { kind, spanName: name, attributes }: Pick<CallPlan, "kind" | "spanName" | "attributes">,
  call: OwnOfCall,
): CallStart => ({ name, kind: KINDS[kind], attributes, own: ownAttributes(kind, call) });

/** What the span of a call says from its start and shares with those of other calls. */
export function sharedAttributes(
  { kind, name, sideEffect, isObserved }: Pick<CallSpec<unknown>, "kind" | "name" | "sideEffect" | "isObserved">,
  told: Readonly<Record<string, string>>,
): Record<string, string> {
  const shared: Record<string, string> = Object.assign({}, told, KIND_ATTRIBUTES[kind]);
  shared[semconv.ATTR_CALL_KIND] = kind;
  shared[semconv.ATTR_SIDE_EFFECT] = sideEffect;
  shared[NAME_ATTRIBUTES[kind]] = name;
  if (isObserved === true) shared[semconv.ATTR_CALL_OBSERVED] = "true";
  return shared;
}

/** And what it does not share. */
function ownAttributes(kind: CallKind, { path, callId, given }: OwnOfCall): Record<string, string> {
  const own: Record<string, string> = { [semconv.ATTR_CALL_PATH]: path };
  if (callId !== undefined) own[semconv.ATTR_TOOL_CALL_ID] = callId;
  if (given?.text !== undefined) own[valueAttribute(kind, "arguments")] = given.text;
  return own;
}

const KINDS = {
  tool: SpanKind.INTERNAL,
  model: SpanKind.CLIENT,
  probe: SpanKind.CLIENT,
  http: SpanKind.CLIENT,
} as const;

const NAME_ATTRIBUTES = {
  tool: semconv.ATTR_TOOL_NAME,
  model: semconv.ATTR_REQUEST_MODEL,
  probe: semconv.ATTR_TOOL_NAME,
  http: semconv.ATTR_CALL_NAME,
} as const;

const KIND_ATTRIBUTES = {
  tool: { [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_EXECUTE_TOOL, [semconv.ATTR_TOOL_TYPE]: "function" },
  model: { [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_CHAT },
  probe: {},
  http: {},
} as const;

/** Names follow the GenAI conventions: `execute_tool {name}`, `chat {model}`. An exchange is named by method and host. */
export function spanName(kind: CallKind, name: string): string {
  if (kind === "model") return `${semconv.OPERATION_CHAT} ${name}`;
  if (kind === "http") return name;
  return kind === "tool" ? `${semconv.OPERATION_EXECUTE_TOOL} ${name}` : `probe ${name}`;
}

/** Attribute that carries a call's arguments or result. */
export function valueAttribute(kind: CallKind, field: CallField): string {
  if (kind === "http") return field === "arguments" ? semconv.ATTR_HTTP_REQUEST : semconv.ATTR_HTTP_RESPONSE;
  if (kind === "model") return field === "arguments" ? semconv.ATTR_MODEL_REQUEST : semconv.ATTR_MODEL_RESPONSE;
  return field === "arguments" ? semconv.ATTR_TOOL_CALL_ARGUMENTS : semconv.ATTR_TOOL_CALL_RESULT;
}

/** How both values were kept, and why one is missing. */
export function captureText(given: CapturedValue | undefined, kept: CapturedValue | undefined): string {
  const isUsual =
    given !== undefined && kept !== undefined && given.problem === undefined && kept.problem === undefined;
  if (isUsual) return USUAL_CAPTURES[given.form][kept.form];
  return given === NOT_LOOKED_AT && kept === NOT_LOOKED_AT ? NOTHING_CAPTURED : captureTextOf(given, kept);
}

function captureTextOf(given: CapturedValue | undefined, kept: CapturedValue | undefined): string {
  const form = (value: CapturedValue | undefined): JsonValue => ({
    form: value?.form ?? "hash",
    ...(value === undefined ? { problem: "the value could not be captured" } : {}),
    ...(value?.problem === undefined ? {} : { problem: value.problem }),
  });
  return canonicalJson({ arguments: form(given), ...(kept === undefined ? {} : { result: form(kept) }) });
}

// Nearly every call has one of these, and writes it each time.
const NOTHING_CAPTURED = flat(captureTextOf(NOT_LOOKED_AT, NOT_LOOKED_AT));
const FORMS = ["full", "redacted", "hash"] as const satisfies readonly CaptureForm[];
const withForm = (form: CaptureForm): CapturedValue => ({ form, bytes: 0 });
const USUAL_CAPTURES = Object.fromEntries(
  FORMS.map((given) => [
    given,
    Object.fromEntries(FORMS.map((kept) => [kept, captureTextOf(withForm(given), withForm(kept))])),
  ]),
) as Readonly<Record<CaptureForm, Readonly<Record<CaptureForm, string>>>>;

export function attemptsText(attempts: readonly Attempt[]): string {
  const [only, ...others] = attempts;
  const isUsual = others.length === 0 && only?.status === "ok" && only.errorClass === null && only.waitMillis === 0;
  return isUsual ? ONE_GOOD_ATTEMPT : attemptsTextOf(attempts);
}

const attemptsTextOf = (attempts: readonly Attempt[]): string =>
  canonicalJson(attempts.map((one) => ({ status: one.status, error_class: one.errorClass, wait_ms: one.waitMillis })));

const ONE_GOOD_ATTEMPT = flat(attemptsTextOf([{ status: "ok", errorClass: null, waitMillis: 0 }]));

/** The same text in one piece: what was put together from parts is read at two thirds of the speed, for ever. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
