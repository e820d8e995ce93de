import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../capture/redactor.ts";
import type { JsonObject, JsonValue } from "../../json/json.ts";
import * as semconv from "../../semconv.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { modelCallOf } from "./model-api.ts";
import { readModelExchange, type ModelCapture, type ModelReading } from "./model-attributes.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiEmbeddings } from "./openai-embeddings.ts";
import { openaiResponses } from "./openai-responses.ts";

const capture: ModelCapture = { policy: "redacted", maxBytes: 10_000, redactor: createRedactor({ key: "k" }) };
const CHAT = "https://gateway.example/proxy/v1/chat/completions";
const RESPONSES = "http://127.0.0.1:1/v1/responses";
const MESSAGES = "http://127.0.0.1:1/v1/messages";

function answerOf(body: string, type = "application/json"): JsonValue {
  return { status: 200, headers: [["Content-Type", type]], chunks: [[250, "utf8", body]], end: "complete" };
}
const streamed = (events: readonly object[]): JsonValue =>
  answerOf(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""), "text/event-stream");

function read(url: string, asked: object, answer?: JsonValue, limits: Partial<ModelCapture> = {}): ModelReading {
  const call = modelCallOf("POST", new URL(url), { json: asked as JsonObject });
  if (call === undefined) throw new Error("not taken for a model's API");
  return readModelExchange({ url: new URL(url), asked: call, kept: call, answer }, { ...capture, ...limits });
}
const json = ({ attributes }: ModelReading, name: string): unknown => JSON.parse(String(attributes[name]));

const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
const chat = { model: "m-1", messages: [{ role: "user", content: "hi" }], tools, temperature: 0.5, max_tokens: 9 };

describe("chat completions", () => {
  it("tell model, parameters, messages, tools, usage and how it ended", () => {
    const call = { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } };
    const body = {
      id: "chatcmpl-1",
      model: "m-1-2026",
      choices: [
        { index: 0, message: { role: "assistant", content: null, tool_calls: [call] }, finish_reason: "tool_calls" },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    };
    const reading = read(CHAT, chat, answerOf(JSON.stringify(body)));
    expect(reading.attributes).toMatchObject({
      [semconv.ATTR_OPERATION_NAME]: "chat",
      [semconv.ATTR_PROVIDER_NAME]: "openai",
      [semconv.ATTR_REQUEST_MODEL]: "m-1",
      [semconv.ATTR_REQUEST_TEMPERATURE]: 0.5,
      [semconv.ATTR_REQUEST_MAX_TOKENS]: 9,
      [semconv.ATTR_RESPONSE_ID]: "chatcmpl-1",
      [semconv.ATTR_RESPONSE_MODEL]: "m-1-2026",
      [semconv.ATTR_RESPONSE_FINISH_REASONS]: '["tool_call"]',
      [semconv.ATTR_USAGE_INPUT_TOKENS]: 10,
      [semconv.ATTR_USAGE_CACHE_READ_TOKENS]: 4,
      [semconv.ATTR_USAGE_REASONING_TOKENS]: 2,
    });
    expect(json(reading, semconv.ATTR_INPUT_MESSAGES)).toEqual([
      { role: "user", parts: [{ type: "text", content: "hi" }] },
    ]);
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toEqual([
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Bern" } }] },
    ]);
    expect(json(reading, semconv.ATTR_TOOL_DEFINITIONS)).toEqual([
      { type: "function", name: "weather", parameters: { type: "object" } },
    ]);
  });

  it("are put together from the chunks of a stream, tool calls side by side", () => {
    const chunk = (delta: object, finish: string | null = null) => ({
      id: "chatcmpl-2",
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const part = (index: number, text: string, more: object = {}) =>
      chunk({ tool_calls: [{ index, ...more, function: { ...more, arguments: text } }] });
    const reading = read(
      CHAT,
      { ...chat, stream: true },
      streamed([
        chunk({ role: "assistant", content: "Let me " }),
        chunk({ content: "look." }),
        part(0, "", { id: "a", name: "first" }),
        part(1, '{"n"', { id: "b", name: "second" }),
        part(0, '{"n":1}'),
        part(1, ":2}"),
        chunk({}, "tool_calls"),
        { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
      ]),
    );
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toEqual([
      {
        role: "assistant",
        parts: [
          { type: "text", content: "Let me look." },
          { type: "tool_call", id: "a", name: "first", arguments: { n: 1 } },
          { type: "tool_call", id: "b", name: "second", arguments: { n: 2 } },
        ],
      },
    ]);
    expect(reading.attributes).toMatchObject({
      [semconv.ATTR_REQUEST_STREAM]: true,
      [semconv.ATTR_USAGE_OUTPUT_TOKENS]: 4,
      [semconv.ATTR_RESPONSE_TIME_TO_FIRST_CHUNK]: 0.25,
    });
  });

  it("hand on what tools gave back", () => {
    const messages = [
      {
        role: "tool",
        tool_call_id: "c1",
        content: [
          { type: "text", text: '{"ok":' },
          { type: "text", text: "true}" },
        ],
      },
    ];
    expect(json(read(CHAT, { messages }), semconv.ATTR_INPUT_MESSAGES)).toEqual([
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: '{"ok":true}' }] },
    ]);
  });

  it("of a deployment name the model in the path", () => {
    const url = "https://acme.openai.azure.com/openai/deployments/gpt-x/chat/completions?api-version=1";
    expect(read(url, { messages: [] }).attributes).toMatchObject({
      [semconv.ATTR_PROVIDER_NAME]: "azure.ai.openai",
      [semconv.ATTR_REQUEST_MODEL]: "gpt-x",
    });
  });
});

describe("responses", () => {
  const call = { type: "function_call", id: "fc_1", call_id: "c1", name: "weather", arguments: '{"city":"Bern"}' };
  const input = [
    { role: "user", content: [{ type: "input_text", text: "hi" }] },
    call,
    { type: "function_call_output", call_id: "c1", output: "sunny" },
  ];

  it("tell instructions, calls and their outputs", () => {
    const reading = read(RESPONSES, { model: "m", instructions: "Be kind.", input });
    expect(json(reading, semconv.ATTR_SYSTEM_INSTRUCTIONS)).toEqual([{ type: "text", content: "Be kind." }]);
    expect(json(reading, semconv.ATTR_INPUT_MESSAGES)).toEqual([
      { role: "user", parts: [{ type: "text", content: "hi" }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Bern" } }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "sunny" }] },
    ]);
  });

  const events = [
    { type: "response.created", response: { id: "r1", model: "m", status: "in_progress", output: [] } },
    { type: "response.output_item.added", output_index: 0, item: { ...call, arguments: "" } },
    { type: "response.function_call_arguments.delta", output_index: 0, delta: '{"city":' },
    { type: "response.function_call_arguments.delta", output_index: 0, delta: '"Bern"}' },
  ];
  const parts = [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Bern" } }];

  it("are read off the last event of a stream", () => {
    const last = { type: "response.completed", response: { id: "r1", status: "completed", output: [call] } };
    const reading = read(RESPONSES, { input: "hi", stream: true }, streamed([...events, last]));
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toEqual([{ role: "assistant", parts }]);
    expect(reading.attributes[semconv.ATTR_RESPONSE_FINISH_REASONS]).toBe('["tool_call"]');
  });

  it("are put together as far as they came when the stream is cut", () => {
    const reading = read(RESPONSES, { input: "hi", stream: true }, streamed(events));
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toEqual([{ role: "assistant", parts }]);
    expect(reading.attributes[semconv.ATTR_RESPONSE_FINISH_REASONS]).toBeUndefined();
  });

  it("that failed say so by their own code", () => {
    const failed = { type: "response.failed", response: { status: "failed", error: { code: "server_error" } } };
    expect(read(RESPONSES, { input: "hi", stream: true }, streamed([failed])).errorClass).toBe(
      "dependency_unavailable",
    );
  });
});

describe("messages", () => {
  const asked = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "hi" }] };
  const start = {
    type: "message_start",
    message: { id: "msg_1", model: "m", content: [], usage: { input_tokens: 3 } },
  };
  const events = [
    start,
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Let me look." } },
    {
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id: "t1", name: "weather", input: {} },
    },
    { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"city":' } },
    { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '"Bern"}' } },
  ];

  it("tell instructions, results of tools and whether they failed", () => {
    const content = [
      { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "no" }], is_error: true },
    ];
    const messages = [{ role: "user", content }];
    const reading = read(MESSAGES, { ...asked, system: "Be kind.", messages });
    expect(json(reading, semconv.ATTR_SYSTEM_INSTRUCTIONS)).toEqual([{ type: "text", content: "Be kind." }]);
    expect(json(reading, semconv.ATTR_INPUT_MESSAGES)).toEqual([
      { role: "tool", parts: [{ type: "tool_call_response", id: "t1", response: "no", is_error: true }] },
    ]);
  });

  it("are put together from a stream, with cached tokens among the rest", () => {
    const usage = { output_tokens: 7, cache_read_input_tokens: 5, cache_creation_input_tokens: 1 };
    const last = { type: "message_delta", delta: { stop_reason: "tool_use" }, usage };
    const reading = read(MESSAGES, { ...asked, stream: true }, streamed([...events, last]));
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toEqual([
      {
        role: "assistant",
        parts: [
          { type: "text", content: "Let me look." },
          { type: "tool_call", id: "t1", name: "weather", arguments: { city: "Bern" } },
        ],
      },
    ]);
    expect(reading.attributes).toMatchObject({
      [semconv.ATTR_USAGE_INPUT_TOKENS]: 9,
      [semconv.ATTR_USAGE_OUTPUT_TOKENS]: 7,
      [semconv.ATTR_USAGE_CACHE_CREATION_TOKENS]: 1,
      [semconv.ATTR_RESPONSE_FINISH_REASONS]: '["tool_call"]',
    });
  });

  it("cut within arguments keep the text that came", () => {
    const reading = read(MESSAGES, { ...asked, stream: true }, streamed(events.slice(0, -1)));
    expect(json(reading, semconv.ATTR_OUTPUT_MESSAGES)).toMatchObject([{ parts: [{}, { arguments: '{"city":' }] }]);
  });

  it("that break off with an error have its class", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "busy" } };
    expect(read(MESSAGES, { ...asked, stream: true }, streamed([start, error])).errorClass).toBe(
      "dependency_unavailable",
    );
  });
});

describe("content", () => {
  const answer = answerOf(JSON.stringify({ choices: [{ message: { content: "to bob@example.org" } }] }));
  const CONTENT = [semconv.ATTR_INPUT_MESSAGES, semconv.ATTR_OUTPUT_MESSAGES, semconv.ATTR_TOOL_DEFINITIONS];

  it("is left out by the policy `hash`, and the rest is told", () => {
    const { attributes } = read(CHAT, chat, answer, { policy: "hash" });
    for (const name of CONTENT) expect(attributes[name]).toBeUndefined();
    expect(attributes[semconv.ATTR_REQUEST_MODEL]).toBe("m-1");
  });

  it("over the limit is left out and never cut", () => {
    const { attributes } = read(CHAT, { ...chat, messages: [{ role: "user", content: "x".repeat(5_000) }] }, answer, {
      maxBytes: 1_000,
    });
    expect(attributes[semconv.ATTR_INPUT_MESSAGES]).toBeUndefined();
    expect(attributes[semconv.ATTR_OUTPUT_MESSAGES]).toBeDefined();
  });

  it("of an answer is redacted", () => {
    expect(String(read(CHAT, chat, answer).attributes[semconv.ATTR_OUTPUT_MESSAGES])).not.toContain("bob@example.org");
  });

  it("of pictures stays in the recorded request", () => {
    const content = [{ type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(500)}` } }];
    const reading = read(CHAT, { messages: [{ role: "user", content }] });
    expect(json(reading, semconv.ATTR_INPUT_MESSAGES)).toMatchObject([
      { parts: [{ type: "blob", modality: "image", mime_type: "image/png", content: "" }] },
    ]);
  });
});

describe("a model's API", () => {
  it.each([
    ["GET", CHAT, { json: chat }],
    ["POST", "https://x.example/v1/chat", { json: chat }],
    ["POST", "https://x.example/threads/1/messages", { json: { role: "user", content: "hi" } }],
    ["POST", "https://x.example/survey/responses", { json: { answers: [] } }],
    ["POST", CHAT, { text: "{" }],
  ] as const)("is not %s %s with another form", (method, url, body) => {
    expect(modelCallOf(method, new URL(url), body as never)).toBeUndefined();
  });

  it.each([openaiChat, openaiResponses, openaiEmbeddings, anthropicMessages])(
    "reads anything without a throw (%#)",
    (api) => {
      const names = [
        "messages",
        "choices",
        "delta",
        "tool_calls",
        "index",
        "content",
        "type",
        "output",
        "usage",
        "input",
      ];
      const { value } = fc.letrec((tie) => ({
        value: fc.oneof(
          { maxDepth: 5 },
          fc.constantFrom<JsonValue>(null, -1, 1e308, "", "text", "tool_use", "__proto__", true),
          fc.array(tie("value"), { maxLength: 3 }),
          fc.dictionary(fc.constantFrom(...names, "__proto__"), tie("value"), { maxKeys: 5 }),
        ),
      }));
      const body = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>;
      fc.assert(
        fc.property(body, fc.array(body, { maxLength: 4 }), (one, many) => {
          api.accepts(one);
          api.request(one);
          api.input(one);
          api.answer(one);
          api.answer(api.assemble(many));
        }),
        { numRuns: 300 },
      );
    },
  );
});
