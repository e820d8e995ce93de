import type { SideEffectClass, ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../instrumentation/json/json.ts";
import * as semconv from "../../instrumentation/semconv.ts";
import type { SpanRow } from "../clickhouse/rows.ts";
import { matchesRecorded } from "./recorded-match.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { attribute, endUnixNano, jsonAttribute } from "./span-attributes.ts";

/** What the recorded facts cannot say of a tool. */
export type SideEffectsByTool = Readonly<Record<string, SideEffectClass>>;

/** The class of a call whose result its model never saw: nobody can tell whether it was made. */
export const NO_RESULT = "no_result";

/**
 * The tool calls of an agent that makes them by its own code: what its models asked for in answers over HTTP, and what
 * it told them came of it in a later request. Calls that were recorded themselves are not among them. Pure, total, and
 * free of the order of its arguments.
 */
export function inferredToolCalls(
  spans: readonly SpanRow[],
  recorded: readonly RecordedCall[],
  sideEffects: SideEffectsByTool = {},
): ToolCallEvidence[] {
  const exchanges = spans.filter(isModelExchange).sort(byStart);
  const asked = distinctCalls(exchanges.flatMap(askedCalls));
  if (asked.length === 0) return [];
  const results = resultsById(exchanges);
  const isRecorded = matchesRecorded(recorded);
  return asked.filter((call) => !isRecorded(call)).map((call) => evidenceOf(call, results.get(call.id), sideEffects));
}

/** A call that a model asked for. */
export interface AskedCall {
  /** `''` when the API gave none. */
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonValue;
  /** Its place among the calls of its answer. */
  readonly index: number;
  readonly span: SpanRow;
}

interface ToolResult {
  readonly response: JsonValue;
  readonly isError: boolean;
}

const isModelExchange = (span: SpanRow): boolean =>
  attribute(span, semconv.ATTR_CALL_KIND) === "http" && attribute(span, semconv.ATTR_PROVIDER_NAME) !== "";

function askedCalls(span: SpanRow): AskedCall[] {
  return partsOf(span, semconv.ATTR_OUTPUT_MESSAGES, "tool_call").map((part, index) => ({
    id: textOf(part["id"]),
    name: textOf(part["name"]),
    arguments: part["arguments"] ?? {},
    index,
    span,
  }));
}

/** An answer that was asked for twice holds its calls twice. */
function distinctCalls(calls: readonly AskedCall[]): AskedCall[] {
  const seen = new Set<string>();
  return calls.filter(({ id }) => {
    if (id === "") return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** A conversation is sent anew with every request; the first time that a result is in it counts. */
function resultsById(exchanges: readonly SpanRow[]): ReadonlyMap<string, ToolResult> {
  const results = new Map<string, ToolResult>();
  for (const span of exchanges) {
    for (const part of partsOf(span, semconv.ATTR_INPUT_MESSAGES, "tool_call_response")) {
      const id = textOf(part["id"]);
      if (id === "" || results.has(id)) continue;
      results.set(id, { response: told(part["response"]), isError: part["is_error"] === true });
    }
  }
  return results;
}

/** Tools tell JSON as text. */
function told(response: JsonValue | undefined): JsonValue {
  if (typeof response !== "string" || !/^\s*[[{]/.test(response)) return response ?? null;
  return parseJson(response) ?? response;
}

const partsOf = (span: SpanRow, name: string, type: string): JsonObject[] =>
  list(jsonAttribute(span, name))
    .flatMap((message) => list(isJsonObject(message) ? message["parts"] : undefined))
    .filter(isJsonObject)
    .filter((part) => part["type"] === type);

const list = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : [];

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

const evidenceOf = (
  call: AskedCall,
  result: ToolResult | undefined,
  sideEffects: SideEffectsByTool,
): ToolCallEvidence => ({
  spanId: `${call.span.SpanId}#${call.index}`,
  callId: call.id,
  name: call.name,
  // A class nobody declared may do anything.
  sideEffect: Object.hasOwn(sideEffects, call.name) ? (sideEffects[call.name] ?? "write") : "write",
  arguments: call.arguments,
  argumentsSha256: null,
  result: result?.response,
  errorClass: result === undefined ? NO_RESULT : result.isError ? semconv.ERROR_TOOL : null,
  attempts: [],
  reference: null,
  startUnixNano: String(endUnixNano(call.span)),
  isInferred: true,
});

function byStart(a: SpanRow, b: SpanRow): number {
  const apart = BigInt(a.Timestamp) - BigInt(b.Timestamp);
  return apart === 0n ? (a.SpanId < b.SpanId ? -1 : 1) : apart < 0n ? -1 : 1;
}
