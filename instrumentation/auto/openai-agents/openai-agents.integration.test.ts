import * as sdk from "@openai/agents";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import * as semconv from "../../semconv.ts";
import { allOf } from "../testing/all-of.ts";
import { byPath, createPlanner, plannedCalls, QUESTION, type Planner } from "../testing/planner.ts";
import { startProvider, type ProviderServer, type Question, type Reply } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentOpenAiAgents } from "./instrument-openai-agents.ts";

const agents = { ...sdk };
let planner: Planner;
let provider: ProviderServer;
let think: (question: Question) => Reply;
let undo: () => void;

beforeEach(async () => {
  planner = createPlanner();
  think = (question) => planner.think(question);
  provider = await startProvider((question) => think(question));
  undo = instrumentOpenAiAgents(agents);
  agents.setTracingDisabled(true);
});
afterEach(async () => {
  undo();
  await provider.close();
});

const client = () => new OpenAI({ baseURL: provider.baseUrl, apiKey: "none", maxRetries: 0 }) as never;
const models = {
  responses: () => new agents.OpenAIResponsesModel(client(), "m-1"),
  chat: () => new agents.OpenAIChatCompletionsModel(client(), "m-1"),
};
const parameters = z.object({ city: z.string() });
const tools = () => [
  agents.tool({
    name: "lookup",
    description: "temperature",
    parameters,
    execute: (given) => planner.lookup(given),
  }),
  agents.tool({ name: "book", description: "books", parameters, execute: (): string => planner.book() }),
];
const agent = (api: keyof typeof models) =>
  new agents.Agent({ name: "planner", instructions: "Plan.", model: models[api](), tools: tools() });

const ANSWER = /^Rome is warmer, .*24.*Booking: .*error/is;

async function streamed(api: keyof typeof models): Promise<unknown> {
  const result = await agents.run(agent(api), QUESTION, { stream: true });
  await allOf(result);
  return result.finalOutput;
}

describe.each<[string, boolean, () => Promise<unknown>]>([
  ["run() over responses", true, async () => (await agents.run(agent("responses"), QUESTION)).finalOutput],
  ["run() over chat completions", false, async () => (await agents.run(agent("chat"), QUESTION)).finalOutput],
  ["a streamed run() over responses", false, () => streamed("responses")],
  ["a streamed run() over chat completions", true, () => streamed("chat")],
])("%s; with an OpenTelemetry SDK: %j", (_name, withSdk, work) => {
  it("is a run with its tools", async () => {
    const { result, tools: made, runs, exchanges } = await recordStack(work, { sdk: withSdk });
    expect(result).toMatch(ANSWER);
    expect(runs).toEqual([
      { agent: "planner", input: QUESTION, model: undefined, answer: result, errorClass: undefined },
    ]);
    expect(byPath(made).toSorted((a, b) => ((a.callId ?? "") < (b.callId ?? "") ? -1 : 1))).toEqual(
      plannedCalls(["lookup#0", "lookup#1", "book#0"]),
    );
    expect(exchanges).toEqual(["POST#0", "POST#1", "POST#2"]);
  });

  it("comes to the same from the recording alone: no request, no tool run", async () => {
    const recorded = await recordStack(work);
    const before = { ran: [...planner.ran], asked: provider.asked() };
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toBe(recorded.result);
    expect(byPath(replayed.tools)).toEqual(byPath(recorded.tools));
    expect({ ran: planner.ran, asked: provider.asked() }).toEqual(before);
  });
});

describe("several agents", () => {
  it("are one run: a handoff is an event of it, a sub-agent a call with its own calls below", async () => {
    think = ({ instructions, toolResults, tools: known }) => {
      if (instructions.includes("Front")) return { calls: [{ id: "h1", name: "transfer_to_Desk", args: {} }] };
      if (instructions.includes("Desk") && !toolResults.has("s1")) {
        return { calls: [{ id: "s1", name: "ask_scout", args: { input: "Rome?" } }] };
      }
      if (instructions.includes("Scout") && known.includes("lookup") && toolResults.size === 0) {
        return { calls: [{ id: "l1", name: "lookup", args: { city: "Rome" } }] };
      }
      return { text: instructions.includes("Scout") ? "24 degrees" : "Take a hat." };
    };
    const make = (name: string, more: object) =>
      new agents.Agent({ name, instructions: name, model: models.chat(), ...more });
    const work = async () => {
      const scout = make("Scout", { tools: tools() });
      const desk = make("Desk", { tools: [scout.asTool({ toolName: "ask_scout", toolDescription: "asks" })] });
      return (await agents.run(make("Front", { handoffs: [desk] }), QUESTION)).finalOutput;
    };
    const recorded = await recordStack(work);
    expect(recorded.result).toBe("Take a hat.");
    expect(recorded.runs).toMatchObject([{ agent: "Front", answer: "Take a hat." }]);
    expect(recorded.tools).toMatchObject([
      { name: "ask_scout", path: "ask_scout#0", callId: "s1", args: { input: "Rome?" }, result: "24 degrees" },
      { name: "lookup", path: "ask_scout#0/Scout#0/lookup#0", callId: "l1" },
    ]);
    expect(recorded.exchanges).toEqual([
      "POST#0",
      "POST#1",
      "ask_scout#0/Scout#0/POST#0",
      "ask_scout#0/Scout#0/POST#1",
      "POST#2",
    ]);
    const events = recorded.spans.filter((span) => span.attributes[semconv.ATTR_CHECKPOINT_NAME] === "agent_handoff");
    expect(events.map((span) => span.attributes[semconv.ATTR_CHECKPOINT_ATTRIBUTES])).toEqual([
      '{"from":"Front","to":"Desk"}',
    ]);
    const asked = provider.asked();
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toBe("Take a hat.");
    expect([provider.asked(), planner.ran]).toEqual([asked, ["Rome"]]);
  });
});
