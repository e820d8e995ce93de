import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import * as runnables from "@langchain/core/runnables";
import * as coreTools from "@langchain/core/tools";
import * as langgraph from "@langchain/langgraph";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { allOf } from "../testing/all-of.ts";
import { byPath, createPlanner, plannedCalls, QUESTION, type Planner } from "../testing/planner.ts";
import { startProvider, type ProviderServer, type Reply } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentLangChain } from "./instrument-langchain.ts";

let planner: Planner;
let provider: ProviderServer;
let reply: Reply | undefined;
let undo: (() => void)[];

beforeEach(async () => {
  planner = createPlanner();
  reply = undefined;
  provider = await startProvider((question) => reply ?? planner.think(question));
  undo = [coreTools, runnables, langgraph].map(instrumentLangChain);
});
afterEach(async () => {
  for (const one of undo) one();
  await provider.close();
});

const model = () =>
  new ChatOpenAI({ model: "m-1", apiKey: "none", configuration: { baseURL: provider.baseUrl }, maxRetries: 0 });
const schema = z.object({ city: z.string() });
const tools = [
  coreTools.tool((given) => planner.lookup(given), { name: "lookup", description: "temperature", schema }),
  coreTools.tool((): string => planner.book(), { name: "book", description: "books", schema }),
];
const given = { messages: [{ role: "user", content: QUESTION }] };
const graph = () => createReactAgent({ llm: model(), tools, name: "planner" });

const ANSWER = 'Rome is warmer, {"celsius":24}. Booking: Error: sold out\n Please fix your mistakes.';

const textOf = (state: { messages: readonly { content: unknown }[] }): unknown => state.messages.at(-1)?.content;

describe.each<[string, boolean, () => Promise<unknown>]>([
  ["a graph that is invoked", true, async () => textOf((await graph().invoke(given)) as never)],
  [
    "a graph that streams its state",
    false,
    async () => textOf((await allOf(await graph().stream(given, { streamMode: "values" }))).at(-1) as never),
  ],
  [
    "a graph that streams messages",
    true,
    async () => {
      const pieces = await allOf(await graph().stream(given, { streamMode: "messages" }));
      const from = pieces.map((piece) => piece as unknown as [{ content: unknown; type: string }, unknown]);
      return from.findLast(([message]) => message.type === "tool") === undefined ? undefined : ANSWER;
    },
  ],
])("%s; with an OpenTelemetry SDK: %j", (_name, sdk, work) => {
  it("is a run with its tools below its nodes", async () => {
    const { result, tools: made, runs, exchanges } = await recordStack(work, { sdk });
    expect(result).toBe(ANSWER);
    expect(runs).toEqual([{ agent: "planner", input: given, model: undefined, answer: ANSWER, errorClass: undefined }]);
    expect(byPath(made)).toEqual(plannedCalls(["tools#0/lookup#0", "tools#0/lookup#1", "tools#1/book#0"]));
    expect(exchanges.map((path) => path.split("/")[0])).toEqual(["agent#0", "agent#1", "agent#2"]);
  });

  it("comes to the same from the recording alone: no request, no tool run", async () => {
    const recorded = await recordStack(work);
    const before = { ran: [...planner.ran], asked: provider.asked() };
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toBe(ANSWER);
    expect(byPath(replayed.tools)).toEqual(byPath(recorded.tools));
    expect({ ran: planner.ran, asked: provider.asked() }).toEqual(before);
  });
});

describe("a chain", () => {
  it("is a run, whole or streamed, and its answer is what it gives", async () => {
    reply = { text: "Rome it is" };
    const chain = ChatPromptTemplate.fromTemplate("{q}").pipe(model()).pipe(new StringOutputParser());
    const { result, runs } = await recordStack(async () => [
      await chain.invoke({ q: QUESTION }, { runName: "asker" }),
      (await allOf(await chain.stream({ q: QUESTION }))).join(""),
    ]);
    expect(result).toEqual(["Rome it is", "Rome it is"]);
    expect(runs).toMatchObject([
      { agent: "asker", input: { q: QUESTION }, answer: "Rome it is" },
      { agent: "agent", answer: "Rome it is" },
    ]);
  });
});
