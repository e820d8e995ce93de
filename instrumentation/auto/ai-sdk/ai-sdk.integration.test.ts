import { createOpenAI } from "@ai-sdk/openai";
import * as ai7 from "ai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { allOf } from "../testing/all-of.ts";
import { byPath, createPlanner, plannedCalls, QUESTION, type Planner } from "../testing/planner.ts";
import { startProvider, type ProviderServer } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentAiSdk } from "./instrument-ai-sdk.ts";

const ai = { ...ai7 };
let planner: Planner;
let provider: ProviderServer;
let undo: () => void;

beforeEach(async () => {
  planner = createPlanner();
  provider = await startProvider((question) => planner.think(question));
  undo = instrumentAiSdk(ai);
});
afterEach(async () => {
  undo();
  await provider.close();
});

const model = () => createOpenAI({ baseURL: provider.baseUrl, apiKey: "none" }).chat("m-1");
const inputSchema = z.object({ city: z.string() });
const tools = {
  lookup: ai.tool({ inputSchema, execute: (given) => planner.lookup(given) }),
  book: ai.tool({ inputSchema, execute: (): string => planner.book() }),
};
const settings = () => ({ model: model(), tools, stopWhen: ai.stepCountIs(5) });
const given = { prompt: QUESTION };
const agent = () => new ai.ToolLoopAgent({ id: "planner", ...settings() });

/** How a failed tool is told to the model differs between majors. */
const ANSWER = /^Rome is warmer, \{"celsius":24\}\. Booking: .*sold out/;

describe.each<[string, boolean, string, () => Promise<string>]>([
  [
    "generateText",
    false,
    "planner",
    async () => {
      // What the user calls it, by the option that all majors have.
      const experimental_telemetry = { functionId: "planner" };
      return (await ai.generateText({ ...settings(), ...given, experimental_telemetry })).text;
    },
  ],
  [
    "streamText",
    true,
    "agent",
    async () => (await allOf(ai.streamText({ ...settings(), ...given }).textStream)).join(""),
  ],
  ["an agent that generates", true, "planner", async () => (await agent().generate(given)).text],
  ["an agent that streams", false, "planner", async () => await (await agent().stream(given)).text],
])("%s; with an OpenTelemetry SDK: %j", (_name, sdk, agentName, work) => {
  it("is a run with its tools below its steps", async () => {
    const { result, tools: made, runs, exchanges } = await recordStack(work, { sdk });
    expect(result).toMatch(ANSWER);
    expect(runs).toEqual([{ agent: agentName, input: given, model: "m-1", answer: result, errorClass: undefined }]);
    expect(byPath(made)).toEqual(plannedCalls(["step#0/lookup#0", "step#0/lookup#1", "step#1/book#0"]));
    expect(exchanges).toEqual(["step#0/POST#0", "step#1/POST#0", "step#2/POST#0"]);
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
