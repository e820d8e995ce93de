import { afterEach, describe, expect, test } from "vitest";
import { setCallInterceptor } from "../../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../../instrumentation/json/json.ts";
import { recordWork } from "../http/testing/record-and-replay.ts";
import { synthesisedAnswer, wireFormatOf } from "./synthesise.ts";

const [openai, anthropic] = await Promise.all<unknown>([import("openai"), import("@anthropic-ai/sdk")]);

const outputMessages: JsonValue = [
  {
    role: "assistant",
    parts: [
      { type: "text", content: "I look at ötters 🦦." },
      { type: "tool_call", id: "call_1", name: "search", arguments: { q: "otters" } },
    ],
    finish_reason: "tool_call",
  },
];

/** Every model call gets the one recorded answer, written in the form that it asks for. */
function answerModelCalls(): void {
  setCallInterceptor((request) => {
    const asked = wireFormatOf(request.arguments);
    if (asked === undefined) return Promise.reject(new Error("no model is asked"));
    const answer = synthesisedAnswer({ model: "m-1", outputMessages }, asked.format, asked.isStreamed);
    return Promise.resolve({ outcome: "returned", result: answer as never });
  });
}

afterEach(() => setCallInterceptor(undefined));

type Maker<Api> = new (options: object) => Api;
interface Streaming {
  stream(request: object): { finalMessage(): Promise<never>; finalChatCompletion(): Promise<never> };
  create(request: object): Promise<never>;
}
const messages = [{ role: "user", content: "otters?" }];

async function run(work: () => Promise<never>): Promise<unknown> {
  answerModelCalls();
  return JSON.parse(JSON.stringify((await recordWork(work)).result)) as unknown;
}

describe("openai reads a synthesised answer", () => {
  const completions = (): Streaming => {
    const OpenAI = (openai as never)["default"] as Maker<{ chat: { completions: Streaming } }>;
    return new OpenAI({ baseURL: "http://127.0.0.1:59999/v1", apiKey: "k", maxRetries: 0 }).chat.completions;
  };
  const expected = {
    choices: [
      {
        finish_reason: "tool_calls",
        message: {
          content: "I look at ötters 🦦.",
          tool_calls: [{ id: "call_1", function: { name: "search", arguments: '{"q":"otters"}' } }],
        },
      },
    ],
  };

  test("whole", async () => {
    expect(await run(() => completions().create({ model: "m-1", messages }))).toMatchObject(expected);
  });

  test("as a stream", async () => {
    expect(await run(() => completions().stream({ model: "m-1", messages }).finalChatCompletion())).toMatchObject(
      expected,
    );
  });
});

describe("@anthropic-ai/sdk reads a synthesised answer", () => {
  const api = (): Streaming => {
    const Anthropic = (anthropic as never)["default"] as Maker<{ messages: Streaming }>;
    return new Anthropic({ baseURL: "http://127.0.0.1:59999", apiKey: "k", maxRetries: 0 }).messages;
  };
  const asked = { model: "m-1", max_tokens: 10, messages };
  const expected = {
    stop_reason: "tool_use",
    content: [
      { type: "text", text: "I look at ötters 🦦." },
      { type: "tool_use", id: "call_1", name: "search", input: { q: "otters" } },
    ],
  };

  test("whole", async () => {
    expect(await run(() => api().create(asked))).toMatchObject(expected);
  });

  test("as a stream", async () => {
    expect(await run(() => api().stream(asked).finalMessage())).toMatchObject(expected);
  });
});

describe("openai reads a synthesised answer of its responses", () => {
  const responses = (): Omit<Streaming, "stream"> & {
    stream(request: object): { finalResponse(): Promise<never> };
  } => {
    const OpenAI = (openai as never)["default"] as Maker<{ responses: never }>;
    return new OpenAI({ baseURL: "http://127.0.0.1:59999/v1", apiKey: "k", maxRetries: 0 }).responses;
  };
  const asked = { model: "m-1", input: messages };
  const expected = {
    status: "completed",
    output_text: "I look at ötters 🦦.",
    output: [
      { type: "message", content: [{ type: "output_text", text: "I look at ötters 🦦." }] },
      { type: "function_call", call_id: "call_1", name: "search", arguments: '{"q":"otters"}' },
    ],
  };

  test("whole", async () => {
    expect(await run(() => responses().create(asked))).toMatchObject(expected);
  });

  test("as a stream", async () => {
    expect(await run(() => responses().stream(asked).finalResponse())).toMatchObject(expected);
  });
});

describe("an answer that cannot be written", () => {
  test.each([
    ["is missing", undefined],
    ["holds a picture", [{ role: "assistant", parts: [{ type: "blob", content: "x" }] }]],
    ["is of several choices", [...(outputMessages as JsonValue[]), ...(outputMessages as JsonValue[])]],
  ])("is one that %s", (_name, messagesOfCall) => {
    const call = { model: "m-1", outputMessages: messagesOfCall as JsonValue | undefined };
    expect(synthesisedAnswer(call, "openai_chat", false)).toBeUndefined();
  });
});
