import { captureValue, type CapturePolicy } from "../../capture/capture-value.ts";
import type { Redactor } from "../../capture/redactor.ts";
import type { JsonValue } from "../../json/json.ts";
import * as semconv from "../../semconv.ts";
import { answerBody } from "./answer-body.ts";
import type { ModelCall } from "./model-api.ts";
import type { ModelAnswer, ModelInput, ModelUsage } from "./model-exchange.ts";
import { modelErrorClass } from "./model-error-class.ts";
import { azureDeployment, providerName } from "./provider-name.ts";

export type ModelAttributes = Readonly<Record<string, string | number | boolean>>;

/** A call of a model over HTTP, once it is over. */
export interface ModelExchange {
  readonly url: URL;
  /** As it was sent: nothing but names and numbers are taken from it. */
  readonly asked: ModelCall;
  /** As it is recorded, so redacted; absent when its content is not kept. */
  readonly kept: ModelCall | undefined;
  /** The answer as it is recorded; absent when it is not. */
  readonly answer: JsonValue | undefined;
}

export interface ModelCapture {
  readonly policy: CapturePolicy;
  /** Of one attribute. */
  readonly maxBytes: number;
  readonly redactor: Pick<Redactor, "json" | "text">;
}

export interface ModelReading {
  readonly attributes: ModelAttributes;
  /** The model has said all it had to say, though its client may have stopped listening before the connection closed. */
  readonly isComplete: boolean;
  /** A failure that the API reported within an answer that went well as far as HTTP goes, else `null`. */
  readonly errorClass: string | null;
}

/**
 * What an exchange says of a call of a model, as attributes of the GenAI conventions. Reads each body once. Content that
 * is over the limit, or that the policy does not keep, is left out: the exchange's own record says why it is missing.
 */
export function readModelExchange(exchange: ModelExchange, capture: ModelCapture): ModelReading {
  const { api, body } = exchange.asked;
  const { model, isStreamed, parameters } = api.request(body);
  const answer = exchange.answer === undefined ? undefined : answerBody(exchange.answer, api);
  const told = answer === undefined ? undefined : api.answer(answer.body);
  const isKept = capture.policy !== "hash" && capture.policy !== "none";
  const attributes = {
    [semconv.ATTR_OPERATION_NAME]: api.operation,
    [semconv.ATTR_PROVIDER_NAME]: providerName(exchange.url, api.provider),
    [semconv.ATTR_REQUEST_MODEL]: model || azureDeployment(exchange.url),
    [semconv.ATTR_OPENAI_API_TYPE]: api.apiType,
    [semconv.ATTR_REQUEST_STREAM]: isStreamed ? true : undefined,
    ...parameters,
    ...(told === undefined ? {} : answerAttributes(told)),
    [semconv.ATTR_RESPONSE_TIME_TO_FIRST_CHUNK]: isStreamed ? answer?.firstChunkSeconds : undefined,
    ...(exchange.kept === undefined || !isKept ? {} : inputAttributes(api.input(exchange.kept.body), capture)),
    ...(told === undefined || !isKept ? {} : outputAttributes(told, capture)),
  };
  const errorClass = told?.errorCode === undefined ? null : modelErrorClass(told.errorCode);
  const isComplete = told !== undefined && told.finishReasons.length > 0;
  return { attributes: present(attributes, capture.redactor), isComplete, errorClass };
}

const answerAttributes = ({ id, model, finishReasons, usage }: ModelAnswer) => ({
  [semconv.ATTR_RESPONSE_ID]: id,
  [semconv.ATTR_RESPONSE_MODEL]: model,
  [semconv.ATTR_RESPONSE_FINISH_REASONS]: finishReasons.length === 0 ? undefined : JSON.stringify(finishReasons),
  ...usageAttributes(usage),
});

const usageAttributes = ({ input, output, cacheRead, cacheCreation, reasoning }: ModelUsage) => ({
  [semconv.ATTR_USAGE_INPUT_TOKENS]: input,
  [semconv.ATTR_USAGE_OUTPUT_TOKENS]: output,
  [semconv.ATTR_USAGE_CACHE_READ_TOKENS]: cacheRead,
  [semconv.ATTR_USAGE_CACHE_CREATION_TOKENS]: cacheCreation,
  [semconv.ATTR_USAGE_REASONING_TOKENS]: reasoning,
});

/** It was taken from a redacted request, and redacting it once more would cost as much again. */
const inputAttributes = ({ messages = [], instructions = [], tools = [] }: ModelInput, { maxBytes }: ModelCapture) => ({
  [semconv.ATTR_INPUT_MESSAGES]: content(messages, { maxBytes, redactor: AS_IT_IS }),
  [semconv.ATTR_SYSTEM_INSTRUCTIONS]: content(instructions, { maxBytes, redactor: AS_IT_IS }),
  [semconv.ATTR_TOOL_DEFINITIONS]: content(tools, { maxBytes, redactor: AS_IT_IS }),
});

/** Pieces of a stream may form a secret only now that they are together. */
const outputAttributes = ({ messages }: ModelAnswer, { policy, maxBytes, redactor }: ModelCapture) => ({
  [semconv.ATTR_OUTPUT_MESSAGES]: content(messages, { maxBytes, redactor: policy === "full" ? AS_IT_IS : redactor }),
});

const AS_IT_IS = { json: (value: JsonValue): JsonValue => value };

interface ContentLimit {
  readonly maxBytes: number;
  readonly redactor: Pick<Redactor, "json">;
}

function content(list: readonly object[], limit: ContentLimit): string | undefined {
  if (list.length === 0) return undefined;
  const kept = captureValue(list, { ...limit, policy: "redacted" });
  return kept.form === "hash" ? undefined : kept.text;
}

const CONTENT: ReadonlySet<string> = new Set([
  semconv.ATTR_INPUT_MESSAGES,
  semconv.ATTR_OUTPUT_MESSAGES,
  semconv.ATTR_SYSTEM_INSTRUCTIONS,
  semconv.ATTR_TOOL_DEFINITIONS,
]);
const MAX_NAME = 1_000;

/** Names (models, ids, stop sequences) come from outside too. */
function present(
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
  redactor: Pick<Redactor, "text">,
): ModelAttributes {
  const told = Object.entries(attributes).flatMap(([name, value]): [string, string | number | boolean][] => {
    if (value === undefined || value === "") return [];
    if (typeof value !== "string" || CONTENT.has(name)) return [[name, value]];
    return [[name, redactor.text(value).slice(0, MAX_NAME)]];
  });
  return Object.fromEntries(told);
}
