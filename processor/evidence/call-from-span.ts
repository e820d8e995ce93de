import { z } from "zod";
import { CALL_KINDS } from "../../instrumentation/capture/call-interceptor.ts";
import {
  SIDE_EFFECT_CLASSES,
  type Attempt,
  type SideEffectClass,
  type ToolCallEvidence,
} from "../../instrumentation/contract/evidence.ts";
import { parseJson, type JsonValue } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { attribute, jsonAttribute } from "./span-attributes.ts";

const captureSchema = z.object({
  arguments: z.object({ form: z.enum(["full", "redacted", "hash"]), problem: z.string().optional() }),
  result: z.object({ form: z.enum(["full", "redacted", "hash"]), problem: z.string().optional() }).optional(),
});
const attemptsSchema = z.array(
  z.object({ status: z.enum(["ok", "error"]), error_class: z.string().nullable(), wait_ms: z.number() }),
);
const thrownSchema = z.object({ name: z.string(), message: z.string() });
const HASH_FORM = /^sha256:([0-9a-f]{64});bytes=\d+$/;

/** Reads one recorded call off its span, or `null` when the span is something else. Total on hostile attributes. */
export function callFromSpan(span: SpanRow): RecordedCall | null {
  const told = attribute(span, semconv.ATTR_CALL_KIND);
  const kind = CALL_KINDS.find((known) => known === told);
  if (kind === undefined) return null;
  const names = VALUE_ATTRIBUTES[kind];
  const capture = captureSchema.safeParse(jsonAttribute(span, semconv.ATTR_CALL_CAPTURE)).data;
  const given = readValue(span, names.arguments, { label: "the arguments", capture: capture?.arguments });
  const thrown = thrownSchema.safeParse(jsonAttribute(span, semconv.ATTR_CALL_ERROR)).data ?? null;
  const answered = readValue(span, names.result, { label: "the result", capture: capture?.result });
  return {
    spanId: span.SpanId,
    parentSpanId: span.ParentSpanId,
    kind,
    name:
      kind === "http"
        ? attribute(span, semconv.ATTR_CALL_NAME)
        : attribute(span, semconv.ATTR_TOOL_NAME) || attribute(span, semconv.ATTR_REQUEST_MODEL),
    path: attribute(span, semconv.ATTR_CALL_PATH),
    callId: attribute(span, semconv.ATTR_TOOL_CALL_ID),
    sideEffect: sideEffectOf(attribute(span, semconv.ATTR_SIDE_EFFECT)),
    ...(attribute(span, semconv.ATTR_CALL_OBSERVED) === "true" ? { isObserved: true } : {}),
    arguments: given.value,
    argumentsSha256: given.sha256,
    result: thrown === null ? answered.value : undefined,
    thrown,
    errorClass: attribute(span, semconv.ATTR_ERROR_TYPE) || null,
    attempts: attemptsOf(span),
    reference: attribute(span, semconv.ATTR_CALL_REFERENCE) || null,
    startUnixNano: span.Timestamp,
    durationNano: span.Duration,
    problems: [...given.problems, ...(thrown === null ? answered.problems : []), ...truncation(span)],
  };
}

const TOOL_ATTRIBUTES = { arguments: semconv.ATTR_TOOL_CALL_ARGUMENTS, result: semconv.ATTR_TOOL_CALL_RESULT } as const;
const VALUE_ATTRIBUTES = {
  tool: TOOL_ATTRIBUTES,
  model: { arguments: semconv.ATTR_MODEL_REQUEST, result: semconv.ATTR_MODEL_RESPONSE },
  probe: TOOL_ATTRIBUTES,
  http: { arguments: semconv.ATTR_HTTP_REQUEST, result: semconv.ATTR_HTTP_RESPONSE },
} as const;

interface Expected {
  readonly label: string;
  readonly capture: { readonly form: string; readonly problem?: string | undefined } | undefined;
}

interface ReadValue {
  readonly value: JsonValue | undefined;
  readonly sha256: string | null;
  readonly problems: readonly string[];
}

function readValue(span: SpanRow, name: string, { label, capture }: Expected): ReadValue {
  const text = attribute(span, name);
  const sha256 = capture?.form === "hash" ? (HASH_FORM.exec(text)?.[1] ?? null) : null;
  if (capture?.problem !== undefined) return { value: undefined, sha256, problems: [capture.problem] };
  if (capture?.form === "hash") return { value: undefined, sha256, problems: [`${label} were kept as a hash only`] };
  const value = text === "" ? undefined : parseJson(text);
  if (value !== undefined) return { value, sha256, problems: [] };
  return { value, sha256, problems: [`${label} ${text === "" ? "were not captured" : "are not JSON"}`] };
}

const truncation = (span: SpanRow): string[] =>
  attribute(span, semconv.ATTR_TRUNCATED) === "" ? [] : ["the receiver had to cut an attribute of this call"];

/** A class nobody declared may do anything, so it counts as a mutation. */
const sideEffectOf = (text: string): SideEffectClass => SIDE_EFFECT_CLASSES.find((known) => known === text) ?? "write";

function attemptsOf(span: SpanRow): Attempt[] {
  const attempts = attemptsSchema.safeParse(jsonAttribute(span, semconv.ATTR_CALL_ATTEMPTS)).data ?? [];
  return attempts.map((one) => ({ status: one.status, errorClass: one.error_class, waitMillis: one.wait_ms }));
}

/** The part of a recorded call that `judge()` looks at. */
export const toolCallEvidence = (call: RecordedCall): ToolCallEvidence => ({
  spanId: call.spanId,
  callId: call.callId,
  name: call.name,
  sideEffect: call.sideEffect,
  arguments: call.arguments,
  argumentsSha256: call.argumentsSha256,
  result: call.result,
  errorClass: call.errorClass ?? (call.thrown === null ? null : call.thrown.name),
  attempts: call.attempts,
  reference: call.reference,
  startUnixNano: call.startUnixNano,
});
