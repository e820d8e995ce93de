import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AgentTool, converse } from "./converse.ts";
import { type LocalModel, startLocalModel } from "./local-model.ts";

let local: LocalModel;
beforeAll(async () => {
  local = await startLocalModel({
    adder: ({ results, tools }) => {
      if (results.length > 0) return { say: `The sums are ${results.map((it) => JSON.stringify(it)).join(" and ")}.` };
      return {
        call: tools.flatMap((name) => [[name, { a: 1, b: 2 }] as const, [name, { a: 3, b: "🦦".repeat(20) }] as const]),
      };
    },
  });
});
afterAll(() => local.close());

const ids: string[] = [];
const add: AgentTool = {
  name: "add",
  description: "Adds.",
  parameters: { type: "object", properties: { a: { type: "number" }, b: {} } },
  run: async ({ a, b }: { a: number; b: unknown }, { callId }) => {
    ids.push(callId);
    if (typeof b !== "number") throw new Error(`not a number: ${String(b).length}`);
    return a + b;
  },
};

describe("the local model", () => {
  test.each([false, true])("has conversations with tools through the real client (streamed: %s)", async (stream) => {
    ids.length = 0;
    const model = { url: local.url, name: "adder" };
    const said = await converse({ model, system: "s", task: "Add.", tools: [add], stream });
    expect(said).toBe('The sums are 3 and {"error":"not a number: 40"}.');
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => /^call_[0-9a-f]{16}\d$/.test(id))).toBe(true);
  });

  test("refuses as the provider does what it does not know", async () => {
    const client = new OpenAI({ baseURL: local.url, apiKey: "k", maxRetries: 0 });
    const asked = client.chat.completions.create({ model: "constructor", messages: [] });
    await expect(asked).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining("does not exist") as string,
    });
    await expect(client.responses.create({ model: "adder", input: "" })).rejects.toMatchObject({ status: 404 });
    const post = (body: string) => fetch(`${local.url}/chat/completions`, { method: "POST", body });
    expect((await post('{"messages":5}')).status).toBe(400);
    expect((await post("no JSON")).status).toBe(400);
    expect((await post(JSON.stringify({ model: "x".repeat(2_000_000) }))).status).toBe(413);
  });
});
