import type { JsonObject } from "../../json/json.ts";
import type { ModelMessage, MessagePart } from "./model-message.ts";

/** What one request to a model's API asks for. Absent members were not said. */
export interface ModelRequest {
  readonly model: string;
  readonly isStreamed: boolean;
  /** Attributes of the GenAI conventions that carry no content: limits, temperature, seed. */
  readonly parameters: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** What was said to the model. */
export interface ModelInput {
  readonly messages?: readonly ModelMessage[];
  /** Instructions that are given apart from the messages. */
  readonly instructions?: readonly MessagePart[];
  readonly tools?: readonly JsonObject[];
}

/** What the model's API gave back. */
export interface ModelAnswer {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
  readonly messages: readonly ModelMessage[];
  /** In the words of the conventions: `stop`, `length`, `tool_call`, `content_filter` … */
  readonly finishReasons: readonly string[];
  readonly usage: ModelUsage;
  /** The API's own code for a failure it reported in an answer that went well as far as HTTP goes. */
  readonly errorCode?: string | undefined;
}

/** Tokens. */
export interface ModelUsage {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheCreation?: number | undefined;
  readonly reasoning?: number | undefined;
}

/** One kind of provider API: how its requests are told, and its bodies read. All of it is total on hostile bodies. */
export interface ModelApi {
  readonly operation: string;
  /** Whose form it is, where the host says nothing else. */
  readonly provider: string;
  /** `openai.api.type`. */
  readonly apiType?: string;
  readonly path: RegExp;
  /** Whether a body has the form of this API's requests. */
  accepts(body: JsonObject): boolean;
  request(body: JsonObject): ModelRequest;
  input(body: JsonObject): ModelInput;
  /** The whole answer that the events of a stream are pieces of, as far as they came. */
  assemble(events: readonly JsonObject[]): JsonObject;
  answer(body: JsonObject): ModelAnswer;
}

/** Providers' words for the end of an answer, in those of the conventions. */
export const finishReason = (word: string): string => FINISH_REASONS[word] ?? word;

const FINISH_REASONS: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  tool_calls: "tool_call",
  tool_use: "tool_call",
  function_call: "tool_call",
  end_turn: "stop",
  stop_sequence: "stop",
  completed: "stop",
  max_tokens: "length",
  max_output_tokens: "length",
  refusal: "content_filter",
};
