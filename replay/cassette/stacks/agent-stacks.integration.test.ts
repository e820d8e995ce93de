import { createOpenAI } from "@ai-sdk/openai";
import * as coreTools from "@langchain/core/tools";
import * as runnables from "@langchain/core/runnables";
import * as langgraph from "@langchain/langgraph";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import * as agentsSdk from "@openai/agents";
import * as aiSdk from "ai";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { instrumentAiSdk } from "../../../instrumentation/auto/ai-sdk/index.ts";
import { instrumentLangChain } from "../../../instrumentation/auto/langchain/index.ts";
import { instrumentOpenAiAgents } from "../../../instrumentation/auto/openai-agents/index.ts";
import { allOf } from "../../../instrumentation/auto/testing/all-of.ts";
import { createPlanner, QUESTION, type Planner } from "../../../instrumentation/auto/testing/planner.ts";
import { startProvider, type ProviderServer } from "../../../instrumentation/auto/testing/provider-server.ts";
import { recordWork, replayWork } from "../http/testing/record-and-replay.ts";

/** The real player over what the store would hold of a recorded run: an agent of each stack comes to the same again. */

const ai = { ...aiSdk };
const agents = { ...agentsSdk };
let planner: Planner;
let provider: ProviderServer;
let undo: (() => void)[];

beforeEach(async () => {
  planner = createPlanner();
  provider = await startProvider((question) => planner.think(question));
  agents.setTracingDisabled(true);
  undo = [
    instrumentAiSdk(ai),
    instrumentOpenAiAgents(agents),
    ...[coreTools, runnables, langgraph].map(instrumentLangChain),
  ];
});
afterEach(async () => {
  for (const one of undo) one();
  await provider.close();
});

const schema = z.object({ city: z.string() });

function aiSettings() {
  const lookup = ai.tool({ inputSchema: schema, execute: (given) => planner.lookup(given) });
  const book = ai.tool({ inputSchema: schema, execute: (): string => planner.book() });
  const model = createOpenAI({ baseURL: provider.baseUrl, apiKey: "none" }).responses("m-1");
  return { model, tools: { lookup, book }, prompt: QUESTION, stopWhen: ai.stepCountIs(5) };
}

function graph() {
  const tools = [
    coreTools.tool((given) => planner.lookup(given), { name: "lookup", description: "looks", schema }),
    coreTools.tool((): string => planner.book(), { name: "book", description: "books", schema }),
  ];
  const llm = new ChatOpenAI({ model: "m-1", apiKey: "none", configuration: { baseURL: provider.baseUrl } });
  return createReactAgent({ llm, tools, name: "planner" });
}

function agent() {
  const tools = [
    agents.tool({
      name: "lookup",
      description: "looks",
      parameters: schema,
      execute: (given) => planner.lookup(given),
    }),
    agents.tool({ name: "book", description: "books", parameters: schema, execute: (): string => planner.book() }),
  ];
  const client = new OpenAI({ baseURL: provider.baseUrl, apiKey: "none" }) as never;
  return new agents.Agent({ name: "planner", model: new agents.OpenAIResponsesModel(client, "m-1"), tools });
}

const messages = [{ role: "user", content: QUESTION }];

const STACKS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["generateText", async () => (await ai.generateText(aiSettings())).text],
  ["streamText", async () => (await allOf(ai.streamText(aiSettings()).textStream)).join("")],
  ["a LangGraph agent", async () => (await graph().invoke({ messages })).messages.at(-1)?.content],
  [
    "a streaming LangGraph agent",
    async () => (await allOf(await graph().stream({ messages }, { streamMode: "messages" }))).length,
  ],
  ["an OpenAI agent", async () => (await agents.run(agent(), QUESTION)).finalOutput],
  [
    "a streaming OpenAI agent",
    async () => {
      const result = await agents.run(agent(), QUESTION, { stream: true });
      await result.completed;
      return result.finalOutput;
    },
  ],
];

describe.each(STACKS)("%s", (_name, work) => {
  it("is replayed from its recording: no miss, nothing left over, no request, no tool run", async () => {
    const recorded = await recordWork(work);
    expect(recorded.calls.map(({ kind }) => kind).toSorted()).toEqual(["http", "http", "http", "tool", "tool", "tool"]);
    const before = { ran: [...planner.ran], asked: provider.asked() };
    const replayed = await replayWork(work, recorded.calls);
    expect(replayed.report).toMatchObject({ misses: [], unused: [] });
    expect(replayed.result).toEqual(recorded.result);
    expect({ ran: planner.ran, asked: provider.asked() }).toEqual(before);
  });
});
