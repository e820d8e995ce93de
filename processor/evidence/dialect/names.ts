/**
 * THE table of names: what each field of a normalised step is called in each dialect, best source first. The table in
 * README.md is generated from it. Our own names and OpenTelemetry's newest come from semconv.ts; the others are facts
 * about other people's emitters, and this is the only place that spells them.
 */
import * as semconv from "../../../instrumentation/semconv.ts";
import type { Dialect } from "./dialects.ts";
import type { StepKind } from "./normalised-step.ts";

/**
 * How a value is written.
 * - `text`, `number`; `texts`: a list, or one text; `json`: any JSON, text that is none counts as text;
 * - `messages`: JSON of a list of messages, or one; `indexed`: the name is a prefix of `{name}.{i}.{path}`;
 * - `request`, `response`: a provider's whole body as JSON; `exchange`: one of our HTTP exchanges with such a body;
 * - `answer`: the text of the one output message; `answer_calls`: its tool calls;
 * - `entity`: `{"args": […], "kwargs": {…}}` or `{"inputs": …}` around the value.
 */
export type Form =
  | "text"
  | "number"
  | "texts"
  | "json"
  | "messages"
  | "indexed"
  | "request"
  | "response"
  | "exchange"
  | "answer"
  | "answer_calls"
  | "entity";

export interface Alias {
  readonly name: string;
  readonly dialect: Dialect;
  readonly form: Form;
  /** Only on steps of these kinds. Default: on all. */
  readonly on?: readonly StepKind[];
}

const alias =
  (form: Form) =>
  (dialect: Dialect, name: string, ...on: readonly StepKind[]): Alias => ({
    name,
    dialect,
    form,
    ...(on.length === 0 ? {} : { on }),
  });

const text = alias("text");
const number = alias("number");
const texts = alias("texts");
const json = alias("json");
const messages = alias("messages");
const indexed = alias("indexed");
const request = alias("request");
const response = alias("response");
const exchange = alias("exchange");
const entity = alias("entity");

export const FIELDS = {
  agentName: [
    text("otel", semconv.ATTR_AGENT_NAME),
    text("openinference", "agent.name"),
    text("ai_sdk", "ai.telemetry.functionId"),
    text("traceloop", "traceloop.entity.name", "agent"),
    text("openinference", "graph.node.name", "agent"),
  ],
  workflowName: [
    text("otel", "gen_ai.workflow.name"),
    text("traceloop", "traceloop.workflow.name"),
    text("traceloop", "traceloop.entity.name", "workflow"),
  ],
  toolName: [
    text("otel", semconv.ATTR_TOOL_NAME),
    text("openinference", "tool.name"),
    text("ai_sdk", "ai.toolCall.name"),
    text("traceloop", "traceloop.entity.name", "tool"),
    text("claude_code", "tool_name"),
  ],
  provider: [
    text("otel", semconv.ATTR_PROVIDER_NAME),
    text("otel_old", "gen_ai.system"),
    text("openinference", "llm.provider"),
    text("openinference", "llm.system"),
    text("ai_sdk", "ai.model.provider"),
  ],
  requestModel: [
    text("otel", semconv.ATTR_REQUEST_MODEL),
    text("traceloop", "llm.request.model_name"),
    text("openinference", "llm.model_name"),
    text("ai_sdk", "ai.model.id"),
    text("claude_code", "model"),
  ],
  responseModel: [
    text("otel", semconv.ATTR_RESPONSE_MODEL),
    text("traceloop", "llm.response.model_name"),
    text("ai_sdk", "ai.response.model"),
  ],
  conversationId: [
    text("otel", "gen_ai.conversation.id"),
    text("openinference", "session.id"),
    text("google_adk", "gcp.vertex.agent.session_id"),
    text("traceloop", "traceloop.association.properties.session_id"),
    text("ai_sdk", "ai.telemetry.metadata.sessionId"),
    text("anthropic", "anthropic.session.id"),
  ],
  systemInstructions: [
    messages("otel", semconv.ATTR_SYSTEM_INSTRUCTIONS),
    request("ai_sdk", "ai.prompt"),
    request("google_adk", "gcp.vertex.agent.llm_request"),
    request("openinference", "input.value", "model"),
  ],
  inputMessages: [
    messages("otel", semconv.ATTR_INPUT_MESSAGES),
    indexed("traceloop", "gen_ai.prompt"),
    messages("otel_old", "gen_ai.prompt"),
    indexed("openinference", "llm.input_messages"),
    messages("ai_sdk", "ai.prompt.messages"),
    request("ai_sdk", "ai.prompt"),
    request("google_adk", "gcp.vertex.agent.llm_request"),
    request("openinference", "input.value", "model"),
    request("runproof", semconv.ATTR_MODEL_REQUEST),
    exchange("runproof", semconv.ATTR_HTTP_REQUEST),
  ],
  outputMessages: [
    messages("otel", semconv.ATTR_OUTPUT_MESSAGES),
    indexed("traceloop", "gen_ai.completion"),
    messages("otel_old", "gen_ai.completion"),
    indexed("openinference", "llm.output_messages"),
    alias("answer")("ai_sdk", "ai.response.text"),
    alias("answer_calls")("ai_sdk", "ai.response.toolCalls"),
    alias("answer")("ai_sdk", "ai.response.object"),
    response("google_adk", "gcp.vertex.agent.llm_response"),
    response("openinference", "output.value", "model"),
    response("runproof", semconv.ATTR_MODEL_RESPONSE),
    exchange("runproof", semconv.ATTR_HTTP_RESPONSE),
  ],
  toolDefinitions: [
    json("otel", semconv.ATTR_TOOL_DEFINITIONS),
    indexed("openinference", "llm.tools"),
    texts("ai_sdk", "ai.prompt.tools"),
    indexed("traceloop", "llm.request.functions"),
    request("google_adk", "gcp.vertex.agent.llm_request"),
    request("openinference", "input.value", "model"),
    request("runproof", semconv.ATTR_MODEL_REQUEST),
    exchange("runproof", semconv.ATTR_HTTP_REQUEST),
  ],
  callId: [
    text("otel", semconv.ATTR_TOOL_CALL_ID),
    text("ai_sdk", "ai.toolCall.id"),
    text("openinference", "tool.id"),
    text("openinference", "tool_call.id"),
    text("claude_code", "tool_use_id"),
  ],
  arguments: [
    json("otel", semconv.ATTR_TOOL_CALL_ARGUMENTS, "tool"),
    json("ai_sdk", "ai.toolCall.args", "tool"),
    json("openinference", "input.value", "tool", "agent", "workflow"),
    json("openinference", "tool.parameters", "tool"),
    entity("traceloop", "traceloop.entity.input", "tool", "agent", "workflow"),
    json("google_adk", "gcp.vertex.agent.tool_call_args", "tool"),
  ],
  result: [
    json("otel", semconv.ATTR_TOOL_CALL_RESULT, "tool"),
    json("ai_sdk", "ai.toolCall.result", "tool"),
    json("openinference", "output.value", "tool", "agent", "workflow"),
    entity("traceloop", "traceloop.entity.output", "tool", "agent", "workflow"),
    json("google_adk", "gcp.vertex.agent.tool_response", "tool"),
    json("anthropic", "anthropic.tool_result.content", "tool"),
    json("mcp", "mcp.response.value", "tool"),
  ],
  finishReasons: [
    texts("otel", semconv.ATTR_RESPONSE_FINISH_REASONS),
    text("ai_sdk", "ai.response.finishReason"),
    text("openinference", "llm.finish_reason"),
    text("anthropic", "anthropic.message.stop_reason"),
    text("claude_code", "stop_reason"),
  ],
  usageInput: [
    number("otel", semconv.ATTR_USAGE_INPUT_TOKENS),
    number("otel_old", "gen_ai.usage.prompt_tokens"),
    number("openinference", "llm.token_count.prompt"),
    number("ai_sdk", "ai.usage.inputTokens"),
    number("ai_sdk", "ai.usage.promptTokens"),
    number("claude_code", "input_tokens"),
  ],
  usageOutput: [
    number("otel", semconv.ATTR_USAGE_OUTPUT_TOKENS),
    number("otel_old", "gen_ai.usage.completion_tokens"),
    number("openinference", "llm.token_count.completion"),
    number("ai_sdk", "ai.usage.outputTokens"),
    number("ai_sdk", "ai.usage.completionTokens"),
    number("claude_code", "output_tokens"),
  ],
  usageCacheRead: [
    number("otel", semconv.ATTR_USAGE_CACHE_READ_TOKENS),
    number("traceloop", "gen_ai.usage.cache_read_input_tokens"),
    number("openinference", "llm.token_count.prompt_details.cache_read"),
    number("ai_sdk", "ai.usage.cachedInputTokens"),
    number("claude_code", "cache_read_tokens"),
  ],
  usageCacheWrite: [
    number("otel", "gen_ai.usage.cache_write.input_tokens"),
    number("otel", semconv.ATTR_USAGE_CACHE_CREATION_TOKENS),
    number("traceloop", "gen_ai.usage.cache_creation_input_tokens"),
    number("mastra", "gen_ai.usage.cache_write_input_tokens"),
    number("openinference", "llm.token_count.prompt_details.cache_write"),
  ],
  usageReasoning: [
    number("otel", semconv.ATTR_USAGE_REASONING_TOKENS),
    number("mastra", "gen_ai.usage.reasoning_tokens"),
    number("openinference", "llm.token_count.completion_details.reasoning"),
    number("ai_sdk", "ai.usage.reasoningTokens"),
  ],
  errorClass: [text("otel", semconv.ATTR_ERROR_TYPE), text("otel", "exception.type")],
} as const satisfies Readonly<Record<string, readonly Alias[]>>;

/** A mark that something was left out: `true`, or a name of what. */
export const WITHHELD_MARKS: readonly string[] = ["anthropic.content.truncated", semconv.ATTR_TRUNCATED];

/** Values that say "there is none". They are missing data, never data. */
export const MISSING_VALUES: ReadonlySet<string> = new Set([
  "",
  "{}",
  "null",
  "undefined",
  "<REDACTED>",
  "__REDACTED__",
  "[REDACTED]",
  "<not serializable>",
  "<not specified>",
  "<redacted>",
]);

/** Attributes of a model call's request, by their name in `requestParameters`. */
export const PARAMETER_PREFIX = "gen_ai.request.";
export const PARAMETER_BODIES: readonly Alias[] = [
  json("openinference", "llm.invocation_parameters"),
  request("openinference", "input.value", "model"),
  request("google_adk", "gcp.vertex.agent.llm_request"),
  request("runproof", semconv.ATTR_MODEL_REQUEST),
  exchange("runproof", semconv.ATTR_HTTP_REQUEST),
];
export const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  temperature: ["ai.settings.temperature"],
  top_p: ["ai.settings.topP"],
  top_k: ["ai.settings.topK"],
  max_tokens: ["ai.settings.maxOutputTokens", "ai.settings.maxTokens", "max_completion_tokens"],
  stop_sequences: ["ai.settings.stopSequences", "stop"],
  seed: ["ai.settings.seed"],
  frequency_penalty: ["ai.settings.frequencyPenalty"],
  presence_penalty: ["ai.settings.presencePenalty"],
  tool_choice: ["ai.prompt.toolChoice"],
  response_format: [],
};

/** Events, as log records or on spans, that carry messages. */
export const EVENTS = {
  details: "gen_ai.client.inference.operation.details",
  choice: "gen_ai.choice",
  system: "gen_ai.system.message",
  user: "gen_ai.user.message",
  assistant: "gen_ai.assistant.message",
  tool: "gen_ai.tool.message",
  prompt: "gen_ai.content.prompt",
  completion: "gen_ai.content.completion",
  /** Claude Code's: what a tool gave back. */
  toolOutput: "tool.output",
} as const;

/** Names of events that tell of model calls begin so; those of the service's own verdicts do too, and go on otherwise. */
export const CONTENT_EVENT_PREFIX = "gen_ai.";
export const EVALUATION_EVENT_PREFIX = "gen_ai.evaluation.";
