import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { patchAnthropic } from "../../../instrumentation/auto/anthropic/index.ts";
import { patchOpenai } from "../../../instrumentation/auto/openai/index.ts";
import type { RecordedCall } from "../../../processor/evidence/recorded-call.ts";
import { startToolModel, type ToolModel } from "./testing/tool-model.ts";
import { recordWork, replayWork } from "./testing/record-and-replay.ts";

const [openai, anthropic] = await Promise.all<unknown>([import("openai"), import("@anthropic-ai/sdk")]);

let model: ToolModel;
let undo: (() => void)[];
beforeAll(() => (undo = [patchOpenai(openai), patchAnthropic(anthropic)]));
afterAll(() => {
  for (const one of undo) one();
});
beforeEach(async () => {
  model = await startToolModel();
});
afterEach(() => model.close());

const asked = { role: "user", content: "Weather in Bern and Rome?" };
const parameters = { type: "object", properties: { city: { type: "string" } } };

interface Runner {
  finalContent(): Promise<string>;
}
type Weather = (city: string) => string;

async function withOpenai(weather: Weather, stream: boolean): Promise<string> {
  const OpenAI = (openai as never)["default"] as new (options: object) => {
    chat: { completions: { runTools(body: object): Runner } };
  };
  const client = new OpenAI({ baseURL: `${model.url}/v1`, apiKey: "k" });
  const run = ({ city }: { city: string }): string => weather(city);
  const tool = { type: "function", function: { name: "weather", parameters, parse: JSON.parse, function: run } };
  return await client.chat.completions
    .runTools({ model: "m", messages: [asked], tools: [tool], stream })
    .finalContent();
}

async function withAnthropic(weather: Weather, stream: boolean): Promise<string> {
  const Anthropic = (anthropic as never)["default"] as new (options: object) => {
    beta: {
      messages: { toolRunner(body: object): PromiseLike<{ content: [{ text: string }] }> & AsyncIterable<unknown> };
    };
  };
  const client = new Anthropic({ baseURL: model.url, apiKey: "k" });
  const run = ({ city }: { city: string }): string => weather(city);
  const tools = [{ type: "custom", name: "weather", input_schema: parameters, run }];
  const runner = client.beta.messages.toolRunner({
    model: "m",
    max_tokens: 9,
    messages: [asked],
    tools,
    stream,
  } as object);
  return JSON.stringify(await runner);
}

const toolsOf = (calls: readonly RecordedCall[]) =>
  calls.filter(({ kind }) => kind === "tool").toSorted((a, b) => (a.path < b.path ? -1 : 1));

describe.each([
  ["openai runTools()", withOpenai],
  ["@anthropic-ai/sdk toolRunner()", withAnthropic],
])("tools of %s", (_name, ask) => {
  test.each([false, true])("are calls of the run, and are answered in its replay (streamed: %s)", async (stream) => {
    let ran = 0;
    const weather: Weather = (city) => `${++ran}: sunny in ${city}`;
    const recorded = await recordWork(() => ask(weather, stream), { capture: "full" });
    expect(recorded.result).toContain("done");
    expect(toolsOf(recorded.calls)).toMatchObject([
      { name: "weather", callId: "call_1", arguments: { city: "Bern" }, result: "1: sunny in Bern" },
      { name: "weather", callId: "call_2", arguments: { city: "Rome" }, result: "2: sunny in Rome" },
    ]);
    const before = model.requests.length;
    const replayed = await replayWork(() => ask(weather, stream), recorded.calls);
    expect(replayed.result).toEqual(recorded.result);
    expect([ran, model.requests.length]).toEqual([2, before]);
    expect(replayed.report).toMatchObject({ misses: [], unused: [] });
  });
});
