import { describe, expect, test } from "vitest";
import { normaliseRun } from "./normalise-run.ts";
import { stepFromSpan } from "./step-from-span.ts";
import { eventFields, foreignSpan, logOf } from "./testing/step-span.ts";

const question = { role: "user", parts: [{ type: "text", content: "otters?" }] };
const call = { type: "tool_call", id: "c1", name: "search", arguments: { q: "otters" } };
const response = { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: { hits: 2 } }] };
const answer = { role: "assistant", parts: [{ type: "text", content: "two" }] };
const whole = [question, { role: "assistant", parts: [call] }, response];

/** The same model call (its conversation: question, tool call, result; its answer: "two") in each dialect's words. */
const modelCalls: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "OpenTelemetry v1.41": {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.system_instructions": [{ type: "text", content: "Be terse." }],
    "gen_ai.input.messages": whole,
    "gen_ai.output.messages": [{ ...answer, finish_reason: "stop" }],
    "gen_ai.usage.input_tokens": 3,
  },
  "OpenTelemetry v1.37, with `result` for `response`": {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.input.messages": [
      { role: "system", parts: [{ type: "text", content: "Be terse." }] },
      ...whole.slice(0, 2),
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", result: { hits: 2 } }] },
    ],
    "gen_ai.output.messages": [answer],
    "gen_ai.usage.prompt_tokens": 3,
  },
  "OpenLLMetry, flattened": {
    "llm.request.type": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be terse.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": "otters?",
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "c1",
    "gen_ai.prompt.2.tool_calls.0.name": "search",
    "gen_ai.prompt.2.tool_calls.0.arguments": '{"q":"otters"}',
    "gen_ai.prompt.3.role": "tool",
    "gen_ai.prompt.3.content": '{"hits":2}',
    "gen_ai.prompt.3.tool_call_id": "c1",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "two",
    "gen_ai.usage.prompt_tokens": 3,
  },
  "OpenInference, only the whole bodies": {
    "openinference.span.kind": "LLM",
    "llm.system": "openai",
    "llm.model_name": "m",
    "input.value": {
      model: "m",
      messages: [
        { role: "system", content: "Be terse." },
        { role: "user", content: "otters?" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "search", arguments: '{"q":"otters"}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: '{"hits":2}' },
      ],
    },
    "output.value": { choices: [{ message: { role: "assistant", content: "two" } }] },
    "llm.token_count.prompt": 3,
  },
  "the AI SDK": {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.provider": "openai.responses",
    "ai.model.id": "m",
    "ai.prompt.messages": [
      { role: "system", content: "Be terse." },
      { role: "user", content: [{ type: "text", text: "otters?" }] },
      {
        role: "assistant",
        content: [{ type: "tool-call", toolCallId: "c1", toolName: "search", input: { q: "otters" } }],
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", toolCallId: "c1", toolName: "search", output: { type: "json", value: { hits: 2 } } },
        ],
      },
    ],
    "ai.response.text": "two",
    "ai.usage.promptTokens": 3,
  },
  "Google ADK": {
    "gen_ai.operation.name": "generate_content",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gcp.vertex.agent.llm_request": {
      config: { systemInstruction: "Be terse." },
      contents: [
        { role: "user", parts: [{ text: "otters?" }] },
        { role: "model", parts: [{ functionCall: { id: "c1", name: "search", args: { q: "otters" } } }] },
        { role: "user", parts: [{ functionResponse: { id: "c1", name: "search", response: { hits: 2 } } }] },
      ],
    },
    "gcp.vertex.agent.llm_response": { content: { role: "model", parts: [{ text: "two" }] } },
    "gen_ai.usage.input_tokens": 3,
  },
  "our own, an HTTP exchange of OpenAI's responses": {
    "runproof.call.kind": "model",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "runproof.model.request": {
      instructions: "Be terse.",
      input: [
        { role: "user", content: [{ type: "input_text", text: "otters?" }] },
        { type: "function_call", call_id: "c1", name: "search", arguments: '{"q":"otters"}' },
        { type: "function_call_output", call_id: "c1", output: '{"hits":2}' },
      ],
    },
    "runproof.model.response": {
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "two" }] }],
    },
    "gen_ai.usage.input_tokens": 3,
  },
  "our own, a request to Anthropic": {
    "runproof.call.kind": "model",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "runproof.model.request": {
      system: [{ type: "text", text: "Be terse." }],
      messages: [
        { role: "user", content: "otters?" },
        { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "search", input: { q: "otters" } }] },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: '{"hits":2}' }] }],
        },
      ],
    },
    "runproof.model.response": { role: "assistant", content: [{ type: "text", text: "two" }] },
    "gen_ai.usage.input_tokens": 3,
  },
};

describe("a model call", () => {
  test.each(Object.entries(modelCalls))("has the same form from %s", (_name, attributes) => {
    expect(stepFromSpan(foreignSpan(attributes))).toMatchObject({
      kind: "model",
      name: "m",
      provider: "openai",
      systemInstructions: "Be terse.",
      inputMessages: whole,
      outputMessages: [answer],
      usage: { input: 3 },
    });
  });

  test("is read from old events on its span, as Strands writes them", () => {
    const events = eventFields([
      ["gen_ai.user.message", { content: [{ text: "otters?" }] }],
      [
        "gen_ai.assistant.message",
        { content: [{ type: "tool_use", id: "c1", name: "search", input: { q: "otters" } }] },
      ],
      ["gen_ai.tool.message", { content: '{"hits":2}', id: "c1" }],
      ["gen_ai.choice", { message: [{ text: "two" }], finish_reason: "end_turn" }],
    ]);
    const step = stepFromSpan(foreignSpan({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" }, events));
    expect(step).toMatchObject({ inputMessages: whole, outputMessages: [answer] });
  });

  test("is read from operation details in log records: input first, output later", () => {
    const span = foreignSpan({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" });
    const logs = [
      logOf(span, "gen_ai.client.inference.operation.details", "", { "gen_ai.input.messages": whole }),
      logOf(span, "gen_ai.client.inference.operation.details", "", { "gen_ai.output.messages": [answer] }),
    ];
    expect(stepFromSpan(span, logs)).toMatchObject({ inputMessages: whole, outputMessages: [answer] });
    expect(stepFromSpan(span)).toMatchObject({ inputMessages: undefined, outputMessages: undefined });
  });

  test("takes the first choice of several, whatever the order", () => {
    const span = foreignSpan({ "gen_ai.operation.name": "chat" });
    const choice = (index: number, content: string) => logOf(span, "gen_ai.choice", { index, message: { content } });
    const first = choice(1, "other");
    expect(stepFromSpan(span, [first, choice(0, "two")])?.outputMessages).toEqual([answer]);
  });
});

describe("a tool call", () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    [
      "OpenTelemetry",
      {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": { q: "otters" },
        "gen_ai.tool.call.result": { hits: 2 },
      },
      "execute_tool search",
    ],
    [
      "OpenInference",
      { "openinference.span.kind": "TOOL", "input.value": { q: "otters" }, "output.value": { hits: 2 } },
      "search",
    ],
    [
      "OpenLLMetry",
      {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "search",
        "traceloop.entity.input": { args: [{ q: "otters" }], kwargs: {} },
        "traceloop.entity.output": { hits: 2 },
      },
      "search.tool",
    ],
    [
      "MCP",
      {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "search",
        "gen_ai.tool.call.arguments": { q: "otters" },
        "gen_ai.tool.call.result": { content: [{ type: "text", text: '{"hits":2}' }] },
      },
      "tools/call search",
    ],
    [
      "Google ADK",
      {
        "gcp.vertex.agent.tool_call_args": { q: "otters" },
        "gcp.vertex.agent.tool_response": { hits: 2 },
        "gen_ai.tool.name": "search",
      },
      "execute_tool search",
    ],
  ])("has the same form from %s", (_name, attributes, SpanName) => {
    expect(stepFromSpan(foreignSpan(attributes, { SpanName }))).toMatchObject({
      kind: "tool",
      name: "search",
      arguments: { q: "otters" },
      result: { hits: 2 },
      errorClass: null,
    });
  });

  test("has the error's class, or none when only the status tells", () => {
    const failed = { "gen_ai.operation.name": "execute_tool", "error.type": "timeout" };
    expect(stepFromSpan(foreignSpan(failed))?.errorClass).toBe("timeout");
    const status = foreignSpan({ "gen_ai.operation.name": "execute_tool" }, { StatusCode: "Error" });
    expect(stepFromSpan(status)?.errorClass).toBe("_OTHER");
  });

  test("that an outer instrumentation tells of too is one step with what both know", () => {
    const outer = foreignSpan({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "search",
      "gen_ai.tool.call.id": "c1",
    });
    const between = foreignSpan({}, { ParentSpanId: outer.SpanId });
    const inner = foreignSpan(
      { "mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "gen_ai.tool.call.result": { hits: 2 } },
      { ParentSpanId: between.SpanId },
    );
    const { steps } = normaliseRun([inner, between, outer]);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      spanId: outer.SpanId,
      callId: "c1",
      result: { hits: 2 },
      isCallIdSynthetic: false,
    });
  });

  test("without an id gets that of the model's call with the same arguments", () => {
    const model = foreignSpan({
      "gen_ai.operation.name": "chat",
      "gen_ai.output.messages": [
        { role: "assistant", parts: [{ ...call, id: "c0", arguments: { q: "seals" } }, call] },
      ],
    });
    const tool = foreignSpan(
      { "openinference.span.kind": "TOOL", "input.value": { q: "otters" } },
      { SpanName: "search" },
    );
    const calls = normaliseRun([model, tool]).steps.filter(({ kind }) => kind === "tool");
    expect(calls.map(({ callId, isCallIdSynthetic, source }) => ({ callId, isCallIdSynthetic, source }))).toEqual(
      expect.arrayContaining([
        { callId: "c1", isCallIdSynthetic: true, source: "span" },
        { callId: "c0", isCallIdSynthetic: false, source: "messages" },
      ]),
    );
  });

  test("whose id a model gives again in a later answer is another call", () => {
    const asks = { role: "assistant", parts: [call] };
    const again = { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: { hits: 9 } }] };
    const chat = (input: unknown, output: unknown) =>
      foreignSpan({
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": input,
        "gen_ai.output.messages": [output],
      });
    const { steps } = normaliseRun([
      chat([question], asks),
      chat([question, asks, response], asks),
      chat([question, asks, response, asks, again], answer),
    ]);
    expect(steps.filter(({ kind }) => kind === "tool").map(({ result }) => result)).toEqual([{ hits: 2 }, { hits: 9 }]);
  });
});

describe("what an emitter left out", () => {
  test.each(["<REDACTED>", "__REDACTED__", "{}", "<not serializable>", ""])("is missing, never data: %j", (text) => {
    const span = foreignSpan({ "openinference.span.kind": "TOOL", "input.value": text, "output.value": text });
    expect(stepFromSpan(span)).toMatchObject({ arguments: undefined, result: undefined });
  });

  test("is said of a span that says so", () => {
    const cut = { "gen_ai.operation.name": "chat", "anthropic.content.truncated": "true" };
    expect(stepFromSpan(foreignSpan(cut))?.withheld).toEqual(["anthropic.content.truncated"]);
  });

  test("and half a document are missing; a text in brackets is a text", () => {
    const tool = (result: string) =>
      stepFromSpan(foreignSpan({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": result }))?.result;
    expect(tool('{"hits": [1, 2')).toBeUndefined();
    expect(tool("[1] An otter.")).toBe("[1] An otter.");
  });
});

test("a span of something else is no step", () => {
  expect(stepFromSpan(foreignSpan({ "http.request.method": "GET" }))).toBeUndefined();
  expect(stepFromSpan(foreignSpan({ "gen_ai.operation.name": "embeddings" }))).toBeUndefined();
  expect(stepFromSpan(foreignSpan({ "openinference.span.kind": "constructor" }))).toBeUndefined();
});
