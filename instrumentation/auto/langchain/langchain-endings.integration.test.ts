import { setTimeout as sleep } from "node:timers/promises";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import * as runnables from "@langchain/core/runnables";
import * as coreTools from "@langchain/core/tools";
import * as langgraph from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineContract } from "../../contract/contract.ts";
import { withRun } from "../../run/with-run.ts";
import { allOf } from "../testing/all-of.ts";
import { startProvider, type ProviderServer, type Question, type Reply } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentLangChain } from "./instrument-langchain.ts";

const { START, END, MessagesAnnotation, StateGraph, Annotation, Command } = langgraph;
let provider: ProviderServer;
let think: (question: Question) => Reply;
let undo: (() => void)[];

beforeEach(async () => {
  think = () => ({ text: "warm" });
  provider = await startProvider((question) => think(question));
  undo = [coreTools, runnables, langgraph].map(instrumentLangChain);
});
afterEach(async () => {
  for (const one of undo) one();
  await provider.close();
});

const model = () =>
  new ChatOpenAI({ model: "m-1", apiKey: "none", configuration: { baseURL: provider.baseUrl }, maxRetries: 0 });
const given = { messages: [new HumanMessage("Where is it warmer?")] };

/** One node that asks the model. */
const asker = (streaming = false) =>
  new StateGraph(MessagesAnnotation)
    .addNode("ask", async ({ messages }) => ({
      messages: [streaming ? await collected(model(), messages) : await model().invoke(messages)],
    }))
    .addEdge(START, "ask")
    .addEdge("ask", END)
    .compile({ name: "asker" });

async function collected(llm: ChatOpenAI, messages: Parameters<ChatOpenAI["stream"]>[0]) {
  let whole: Awaited<ReturnType<ChatOpenAI["invoke"]>> | undefined;
  for await (const piece of await llm.stream(messages))
    whole = whole === undefined ? piece : whole.concat(piece as never);
  return whole as NonNullable<typeof whole>;
}

describe("a run of a graph ends", () => {
  it("with the error of its model", async () => {
    think = () => ({ status: 500 });
    const { result, runs } = await recordStack(() =>
      asker()
        .invoke(given)
        .then(String, () => "failed"),
    );
    expect(result).toBe("failed");
    expect(runs).toMatchObject([{ agent: "asker", answer: undefined, errorClass: expect.any(String) }]);
  });

  it("when it is aborted", async () => {
    think = () => ({ text: "Rome is ", thenHang: true });
    const { runs } = await recordStack(async () => {
      const control = new AbortController();
      const stream = await asker(true).stream(given, { streamMode: "messages", signal: control.signal });
      const reading = allOf(stream).catch(() => {});
      setTimeout(() => control.abort(), 50);
      await reading;
    });
    expect(runs).toMatchObject([{ agent: "asker", errorClass: expect.any(String) }]);
  });

  it("when its reader has heard enough", async () => {
    think = () => ({ text: "Rome is ", thenHang: true });
    const { runs } = await recordStack(async () => {
      for await (const piece of await asker(true).stream(given, { streamMode: "messages" })) if (piece) break;
    });
    expect(runs).toMatchObject([{ agent: "asker", errorClass: undefined }]);
  });
});

describe("branches of a graph", () => {
  it("that run at once have call paths of their own, whoever is first", async () => {
    const State = Annotation.Root({
      said: Annotation<string[]>({ reducer: (a, b) => [...a, ...b], default: () => [] }),
    });
    const look = coreTools.tool(({ at }: { at: string }) => `looked at ${at}`, {
      name: "look",
      description: "looks",
      schema: z.object({ at: z.string() }),
    });
    const slow: Record<string, number> = { left: 40, right: 1 };
    const branch = (at: string) => async () => {
      await sleep(slow[at]);
      return { said: [await look.invoke({ at }), (await model().invoke(at)).text] };
    };
    const graph = new StateGraph(State)
      .addNode("left", branch("left"))
      .addNode("right", branch("right"))
      .addEdge(START, "left")
      .addEdge(START, "right")
      .compile({ name: "fork" });
    const work = async () => (await graph.invoke({ said: [] })).said;
    const recorded = await recordStack(work);
    expect(recorded.runs).toMatchObject([{ agent: "fork", answer: JSON.stringify({ said: recorded.result }) }]);
    expect(recorded.tools.map(({ path, args }) => [path, args])).toEqual([
      ["right#0/look#0", { at: "right" }],
      ["left#0/look#0", { at: "left" }],
    ]);
    const asked = provider.asked();
    Object.assign(slow, { left: 1, right: 40 });
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toEqual(recorded.result);
    expect(provider.asked()).toBe(asked);
  });

  it("are steps of the run they are in", async () => {
    const { runs, exchanges } = await recordStack(() =>
      withRun(defineContract({ agent: "outer" }), () => Promise.all([asker().invoke(given), asker().invoke(given)])),
    );
    expect(runs.map((run) => run.agent)).toEqual(["outer"]);
    expect(exchanges.toSorted()).toEqual(["asker#0/ask#0/POST#0", "asker#1/ask#0/POST#0"]);
  });
});

describe("a tool", () => {
  it("whose arguments do not fit is a failed call, and fails again by itself in a replay", async () => {
    const strict = coreTools.tool(() => "never", {
      name: "strict",
      description: "strict",
      schema: z.object({ n: z.number() }),
    });
    const work = () =>
      withRun(defineContract({ agent: "outer" }), () =>
        strict
          .invoke({ type: "tool_call", id: "c1", name: "strict", args: { n: "one" } })
          .then(String, (error: Error) => error.constructor.name),
      );
    const recorded = await recordStack(work);
    expect(recorded.result).toBe("ToolInputParsingException");
    expect(recorded.tools).toMatchObject([
      { name: "strict", callId: "c1", args: { n: "one" }, error: expect.any(String) },
    ]);
    expect((await recordStack(work, { answers: recorded.spans })).result).toBe(recorded.result);
  });

  it("that speaks for itself does so in a replay too: messages and commands are what they were", async () => {
    const calls = [
      { type: "tool_call" as const, id: "c1", name: "say", args: {} },
      { type: "tool_call" as const, id: "c2", name: "go", args: {} },
    ];
    const say = coreTools.tool(() => new ToolMessage({ content: "said", tool_call_id: "c1", artifact: { n: 1 } }), {
      name: "say",
      description: "says",
      schema: z.object({}),
    });
    const go = coreTools.tool(
      () =>
        new Command({ goto: "end", update: { messages: [new ToolMessage({ content: "gone", tool_call_id: "c2" })] } }),
      { name: "go", description: "goes", schema: z.object({}) },
    );
    const work = async () => {
      const graph = new StateGraph(MessagesAnnotation)
        .addNode("ask", () => ({ messages: [{ role: "assistant", content: "", tool_calls: calls }] }))
        .addNode("tools", new ToolNode([say, go]), { ends: ["end"] })
        .addNode("end", () => ({ messages: [{ role: "assistant", content: "bye" }] }))
        .addEdge(START, "ask")
        .addEdge("ask", "tools")
        .compile();
      const { messages } = await graph.invoke(given);
      return messages.map((message) => [message.getType(), message.content, (message as ToolMessage).artifact]);
    };
    const recorded = await recordStack(work);
    expect(recorded.tools.map(({ name }) => name)).toEqual(["say", "go"]);
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toEqual(recorded.result);
    expect(JSON.stringify(recorded.result)).toContain('["tool","said",{"n":1}]');
    expect(JSON.stringify(recorded.result)).toContain('["ai","bye",null]');
  });
});
