import { createOpenAI } from "@ai-sdk/openai";
import * as ai7 from "ai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { defineContract } from "../../contract/contract.ts";
import { withRun } from "../../run/with-run.ts";
import { configureBoundaries } from "../boundary/index.ts";
import { allOf } from "../testing/all-of.ts";
import { createPlanner, type Planner } from "../testing/planner.ts";
import { startProvider, type ProviderServer, type Question, type Reply } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentAiSdk } from "./instrument-ai-sdk.ts";

const ai = { ...ai7 };
let planner: Planner;
let provider: ProviderServer;
let think: (question: Question) => Reply;
let undo: () => void;

beforeEach(async () => {
  planner = createPlanner();
  think = (question) => planner.think(question);
  provider = await startProvider((question) => think(question));
  undo = instrumentAiSdk(ai);
});
afterEach(async () => {
  undo();
  configureBoundaries({});
  await provider.close();
});

const model = (name = "m-1") => createOpenAI({ baseURL: provider.baseUrl, apiKey: "none" }).chat(name);
const prompt = "Where is it warmer?";
const contract = defineContract({ agent: "outer" });
const lookup = ai.tool({
  inputSchema: z.object({ city: z.string() }),
  execute: (given: { city: string }) => planner.lookup(given),
});

describe("a run of the AI SDK ends", () => {
  it("with the error of a model that fails for good, its attempts in one step", async () => {
    think = () => ({ status: 503 });
    const { result, runs, exchanges } = await recordStack(() =>
      ai.generateText({ model: model(), prompt, maxRetries: 1 }).then(String, (error: Error) => error.name),
    );
    expect(result).toBe("AI_RetryError");
    expect(runs).toMatchObject([{ answer: undefined, errorClass: expect.any(String) }]);
    expect(exchanges).toEqual(["step#0/POST#0", "step#0/POST#1"]);
  });

  it("with the error that a stream reports in passing", async () => {
    think = () => ({ status: 400 });
    const { runs } = await recordStack(async () => {
      const result = ai.streamText({ model: model(), prompt, maxRetries: 0, onError: () => {} });
      await result.consumeStream();
    });
    expect(runs).toMatchObject([{ answer: undefined, errorClass: expect.any(String) }]);
  });

  it.each([["read"], ["not read"]])("when it is aborted, its stream %s", async (reading) => {
    think = () => ({ text: "Rome is ", thenHang: true });
    const { runs } = await recordStack(async () => {
      const control = new AbortController();
      const { textStream } = ai.streamText({ model: model(), prompt, abortSignal: control.signal, onError: () => {} });
      const reader = textStream.getReader();
      await reader.read();
      const rest = reading === "read" ? reader.read().catch(() => {}) : undefined;
      control.abort();
      await rest;
    });
    expect(runs).toMatchObject([{ errorClass: "cancelled" }]);
  });

  it("when its reader has heard enough, with what came", async () => {
    think = () => ({ text: "Rome is ", thenHang: true });
    const { runs } = await recordStack(async () => {
      for await (const part of ai.streamText({ model: model(), prompt }).textStream) if (part !== "") break;
    });
    expect(runs).toMatchObject([{ answer: expect.stringMatching(/^Rome/), errorClass: undefined }]);
  });

  it("once all is read, when a reader left and another reads on", async () => {
    think = () => ({ text: "Rome is warmer" });
    const { result, runs } = await recordStack(async () => {
      const stream = ai.streamText({ model: model(), prompt });
      for await (const part of stream.textStream) if (part !== "") break;
      return await stream.text;
    });
    expect(result).toBe("Rome is warmer");
    expect(runs).toMatchObject([{ answer: "Rome is warmer" }]);
  });

  it("with the object it makes, whole or streamed", async () => {
    think = () => ({ text: '{"city":"Rome"}' });
    const schema = z.object({ city: z.string() });
    const { result, runs } = await recordStack(async () => {
      const { object } = await ai.generateObject({ model: model(), prompt, schema });
      return [object, (await allOf(ai.streamObject({ model: model(), prompt, schema }).partialObjectStream)).at(-1)];
    });
    expect(result).toEqual([{ city: "Rome" }, { city: "Rome" }]);
    expect(runs).toMatchObject([{ answer: '{"city":"Rome"}' }, { answer: '{"city":"Rome"}' }]);
  });
});

describe("an operation of the AI SDK", () => {
  it("is a step of the run it is in, and two at once do not share a place", async () => {
    const ask = () =>
      ai.generateText({ model: model(), tools: { lookup }, prompt, stopWhen: ai.stepCountIs(1) }).then(() => {});
    const { runs, tools, exchanges } = await recordStack(() => withRun(contract, () => Promise.all([ask(), ask()])));
    expect(runs.map((run) => run.agent)).toEqual(["outer"]);
    const paths = ["generateText#0/step#0/", "generateText#1/step#0/"];
    expect(exchanges.toSorted()).toEqual(paths.map((path) => `${path}POST#0`));
    expect(tools.map((tool) => tool.path).toSorted()).toEqual(
      paths.flatMap((path) => [`${path}lookup#0`, `${path}lookup#1`]),
    );
  });

  it("below a tool is a part of that tool", async () => {
    think = ({ toolResults, tools }) =>
      tools.includes("ask") && toolResults.size === 0
        ? { calls: [{ id: "c1", name: "ask", args: {} }] }
        : { text: "warm" };
    const ask = ai.tool({
      inputSchema: z.object({}),
      execute: async () => (await ai.generateText({ model: model(), prompt })).text,
    });
    const { runs, exchanges } = await recordStack(() =>
      ai.generateText({ model: model(), tools: { ask }, prompt, stopWhen: ai.stepCountIs(3) }),
    );
    expect(runs).toHaveLength(1);
    expect(exchanges).toEqual(["step#0/POST#0", "step#0/ask#0/generateText#0/step#0/POST#0", "step#1/POST#0"]);
  });

  it("keeps what the user prepares: models of steps, tools of calls, results that come in parts", async () => {
    think = ({ toolResults }) =>
      toolResults.size === 0 ? { calls: [{ id: "c1", name: "count", args: {} }] } : { text: "done" };
    let counted = 0;
    const count = ai.tool({
      inputSchema: z.object({}),
      async *execute() {
        counted++;
        yield "one";
        yield "two";
      },
    });
    const agent = new ai.ToolLoopAgent({
      model: model(),
      tools: { count },
      prepareCall: (given) => ({ ...given, instructions: "Count." }),
      prepareStep: ({ stepNumber }) => (stepNumber === 0 ? {} : { model: model("m-2") }),
    });
    const work = async () => {
      const { fullStream } = await agent.stream({ prompt });
      const parts = await allOf(fullStream);
      return parts.flatMap((part) => (part.type === "tool-result" ? [part.output] : []));
    };
    const recorded = await recordStack(work);
    expect(recorded.result).toEqual(["one", "two", "two"]);
    expect(recorded.tools).toMatchObject([{ path: "step#0/count#0", result: "two" }]);
    expect(recorded.exchanges).toEqual(["step#0/POST#0", "step#1/POST#0"]);
    const replayed = await recordStack(work, { answers: recorded.spans });
    expect(replayed.result).toEqual(["two"]);
    expect(counted).toBe(1);
  });

  it("is left alone where no run may be opened, and the caller's settings are never touched", async () => {
    configureBoundaries({ boundaries: ["http"] });
    const settings = Object.freeze({
      model: model(),
      tools: Object.freeze({ lookup: Object.freeze({ ...lookup }) }),
      prompt,
      stopWhen: ai.stepCountIs(2),
    });
    const alone = await recordStack(() => ai.generateText(settings));
    expect([alone.runs, alone.tools, planner.ran.length]).toEqual([[], [], 2]);
    configureBoundaries({});
    const watched = await recordStack(() => ai.generateText(settings));
    expect([watched.runs.length, watched.tools.length]).toEqual([1, 2]);
  });
});
