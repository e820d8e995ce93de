import type { JsonObject, JsonValue } from "../../../instrumentation/json/json.ts";
import type { Dialect } from "./dialects.ts";

/** What a span stands for, whoever made it. */
export type StepKind = "agent" | "workflow" | "model" | "tool";

/** One piece of a message. `other` is what has no known form (a picture, a file): kept, and never guessed at. */
export type MessagePart =
  | { readonly type: "text"; readonly content: string }
  | { readonly type: "reasoning"; readonly content: string }
  | { readonly type: "tool_call"; readonly id: string; readonly name: string; readonly arguments: JsonValue }
  | {
      readonly type: "tool_call_response";
      readonly id: string;
      readonly response: JsonValue;
      /** The tool, or what called it, said that it failed. */
      readonly isError?: true;
    }
  | { readonly type: "other"; readonly was: string; readonly value: JsonValue };

/** A message in OpenTelemetry's form. System messages are not among them: see `systemInstructions`. */
export interface Message {
  /** `user`, `assistant`, `tool`, or what an emitter made up. A result of a tool is a `tool` message of its own. */
  readonly role: string;
  readonly parts: readonly MessagePart[];
}

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters?: JsonValue;
}

/** Tokens; `null` where nobody told. */
export interface Usage {
  readonly input: number | null;
  readonly output: number | null;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  readonly reasoning: number | null;
}

/** One step of a run in the one form that all dialects are read into. `undefined` is "not told", never "empty". */
export interface NormalisedStep {
  readonly kind: StepKind;
  readonly dialect: Dialect;
  /** Of an inferred tool call: of the model call that asked for it, with the call's id behind a `#`. */
  readonly spanId: string;
  readonly parentSpanId: string;
  /** `messages`: no span tells of this tool call; the conversation around it does. */
  readonly source: "span" | "messages";
  /** Agent, workflow or tool; of a model call the model asked for. `''` when nobody told. */
  readonly name: string;
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel: string;
  readonly conversationId: string;
  readonly systemInstructions: string | undefined;
  readonly inputMessages: readonly Message[] | undefined;
  readonly outputMessages: readonly Message[] | undefined;
  readonly toolDefinitions: readonly ToolDefinition[] | undefined;
  /** Of a model call: temperature and the like, by their OpenTelemetry names without `gen_ai.request.`. */
  readonly requestParameters: JsonObject | undefined;
  /** Of a tool call; of an agent its input as it was told. */
  readonly arguments: JsonValue | undefined;
  /** Of a tool call; of an agent its output as it was told. */
  readonly result: JsonValue | undefined;
  readonly callId: string;
  /** The emitter gave no id: this one was found by name and arguments, or made up. */
  readonly isCallIdSynthetic: boolean;
  /** `null` for a step that went well. */
  readonly errorClass: string | null;
  readonly usage: Usage;
  readonly finishReasons: readonly string[];
  /** What the emitter says it left out or cut: attribute names or its own words. */
  readonly withheld: readonly string[];
  /** Nanoseconds since the epoch, decimal text. */
  readonly startUnixNano: string;
  readonly durationNano: string;
}
