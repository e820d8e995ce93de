import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startModelServer } from "./testing/model-server.ts";
import { recordWork } from "./testing/record-and-replay.ts";
import { sameTwice } from "./testing/same-twice.ts";
import type { ScenarioServer } from "./testing/scenario-server.ts";

const [openai, anthropic, ai, aiOpenai] = await Promise.all<unknown>([
  import("openai"),
  import("@anthropic-ai/sdk"),
  import("ai"),
  import("@ai-sdk/openai"),
]);

let server: ScenarioServer;
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

const messages = [{ role: "user", content: "What do otters hold?" }];

interface Create {
  create(request: object): Promise<never>;
}

const inOrder = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const seen: Item[] = [];
  for await (const item of items) seen.push(item);
  return seen;
};

describe("openai", () => {
  const completions = (): Create => {
    const OpenAI = (openai as never)["default"] as new (options: object) => { chat: { completions: Create } };
    return new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "sk-test-0123456789abcdef0123" }).chat.completions;
  };

  test("is tried again after a 429, and answers whole", async () => {
    const answer = await sameTwice(server, () => completions().create({ model: "m-1", messages }));
    expect(JSON.stringify(answer)).toContain("🦦🦦.");
    expect(server.requests.length).toBe(2);
  });

  test("answers as a stream", async () => {
    const items = await sameTwice(server, async () =>
      inOrder(await completions().create({ model: "m-1", messages, stream: true })),
    );
    expect(items.length).toBe(6);
  });

  test("never has its key recorded", async () => {
    const { calls } = await recordWork(() => completions().create({ model: "m-1", messages }), { capture: "full" });
    expect(JSON.stringify(calls)).not.toContain("sk-test");
    const byPath = calls.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    expect(byPath.map((call) => [call.kind, call.errorClass, call.attempts.length])).toEqual([
      ["http", "rate_limited", 1],
      ["http", null, 2],
    ]);
  });
});

describe("@anthropic-ai/sdk", () => {
  const api = (): Create => {
    const Anthropic = (anthropic as never)["default"] as new (options: object) => { messages: Create };
    return new Anthropic({ baseURL: server.url, apiKey: "test-key" }).messages;
  };

  test("is tried again after a 429, and answers whole", async () => {
    const answer = await sameTwice(server, () => api().create({ model: "m-1", max_tokens: 10, messages }));
    expect(JSON.stringify(answer)).toContain("🦦🦦.");
    expect(server.requests.length).toBe(2);
  });

  test("answers as a stream", async () => {
    const items = await sameTwice(server, async () =>
      inOrder(await api().create({ model: "m-1", max_tokens: 10, messages, stream: true })),
    );
    expect(items.length).toBe(9);
  });
});

describe("ai", () => {
  type Generate = (options: object) => Promise<{ text: string }>;
  type Stream = (options: object) => { textStream: AsyncIterable<string> };
  const model = () => {
    const create = (aiOpenai as never)["createOpenAI"] as (options: object) => (name: string) => unknown;
    return create({ baseURL: `${server.url}/v1`, apiKey: "test-key" })("m-1");
  };

  test("answers whole", async () => {
    const generate = (ai as never)["generateText"] as Generate;
    const text = await sameTwice(server, async () => (await generate({ model: model(), prompt: "otters?" })).text);
    expect(text).toBe("Otters hold hands 🦦🦦.");
  });

  test("answers as a stream", async () => {
    const stream = (ai as never)["streamText"] as Stream;
    const parts = await sameTwice(server, () => inOrder(stream({ model: model(), prompt: "otters?" }).textStream));
    expect(parts).toEqual(["Otters ", "hold ", "hands ", "🦦🦦."]);
  });
});
