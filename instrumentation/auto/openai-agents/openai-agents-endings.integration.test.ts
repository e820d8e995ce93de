import * as sdk from "@openai/agents";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineContract } from "../../contract/contract.ts";
import { withRun } from "../../run/with-run.ts";
import { allOf } from "../testing/all-of.ts";
import { startProvider, type ProviderServer, type Reply } from "../testing/provider-server.ts";
import { recordStack } from "../testing/stack-recording.ts";
import { instrumentOpenAiAgents } from "./instrument-openai-agents.ts";

const agents = { ...sdk };
let provider: ProviderServer;
let reply: Reply;
let undo: () => void;

beforeEach(async () => {
  provider = await startProvider(() => reply);
  undo = instrumentOpenAiAgents(agents);
  agents.setTracingDisabled(true);
});
afterEach(async () => {
  undo();
  await provider.close();
});

const agent = () => {
  const client = new OpenAI({ baseURL: provider.baseUrl, apiKey: "none", maxRetries: 0 }) as never;
  return new agents.Agent({ name: "teller", model: new agents.OpenAIChatCompletionsModel(client, "m-1") });
};

describe("a run of the Agents SDK ends", () => {
  it.each([false, true])("with the error of its model; streamed: %j", async (stream) => {
    reply = { status: 500 };
    const { result, runs } = await recordStack(async () => {
      try {
        if (!stream) return String((await agents.run(agent(), "?")).finalOutput);
        return (await allOf(await agents.run(agent(), "?", { stream }))).length;
      } catch {
        return "failed";
      }
    });
    expect(result).toBe("failed");
    expect(runs).toMatchObject([{ agent: "teller", answer: undefined, errorClass: expect.any(String) }]);
  });

  it("when it is aborted", async () => {
    reply = { text: "Rome is ", thenHang: true };
    const { runs } = await recordStack(async () => {
      const control = new AbortController();
      const result = await agents.run(agent(), "?", { stream: true, signal: control.signal });
      for await (const event of result) if (event.type === "raw_model_stream_event") control.abort();
    });
    expect(runs).toMatchObject([{ errorClass: "cancelled" }]);
  });

  it("when its reader has heard enough", async () => {
    reply = { text: "Rome is ", thenHang: true };
    const { runs } = await recordStack(async () => {
      for await (const event of await agents.run(agent(), "?", { stream: true })) {
        if (event.type === "raw_model_stream_event") break;
      }
    });
    expect(runs).toMatchObject([{ agent: "teller", errorClass: undefined }]);
  });

  it("and is a step of the run it is in", async () => {
    reply = { text: "warm" };
    const { runs, exchanges } = await recordStack(() =>
      withRun(defineContract({ agent: "outer" }), () =>
        Promise.all([agents.run(agent(), "1"), agents.run(agent(), "2")]).then(() => {}),
      ),
    );
    expect(runs.map((run) => run.agent)).toEqual(["outer"]);
    expect(exchanges.toSorted()).toEqual(["teller#0/POST#0", "teller#1/POST#0"]);
  });
});
