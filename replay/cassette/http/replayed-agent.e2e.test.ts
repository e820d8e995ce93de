import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ATTR_EVIDENCE } from "../../../instrumentation/semconv.ts";
import { runChild, type ChildRun } from "../../sandbox/run-child.ts";
import { work } from "../../testing/agents/http-agent.ts";
import { builtFixture, failedFacts } from "../../testing/facts.ts";
import { createPlayer, type PlayerReport } from "../player.ts";
import { recordWork, type Recording } from "./testing/record-and-replay.ts";
import { startScenarioServer, type ScenarioServer } from "./testing/scenario-server.ts";

const module = new URL("../../testing/agents/http-agent.ts", import.meta.url).href;
let server: ScenarioServer;
let recorded: Recording<string>;

beforeAll(async () => {
  server = await startScenarioServer();
  recorded = await recordWork(() => work({ url: server.url }));
});
afterAll(() => server.close());

async function replay(task: object): Promise<{ answer: unknown; child: ChildRun; report: PlayerReport }> {
  const { evidence } = failedFacts();
  const closing = evidence.closing && { ...evidence.closing, toolCallCount: 1, stepCount: 1 };
  const facts = failedFacts({
    input: { url: server.url, ...task },
    calls: recorded.calls,
    evidence: { ...evidence, closing },
  });
  const fixture = builtFixture(facts, "http_fixture");
  const player = createPlayer(fixture.cassette);
  const agent = { module, exportName: "default" };
  const child = await runChild({
    fixture,
    agent,
    player,
    environment: { PATH: process.env["PATH"] },
    timeoutMillis: 30_000,
  });
  const closed = child.rows.map((row) => row.SpanAttributes[ATTR_EVIDENCE]).find((text) => text !== undefined);
  const { answer } = JSON.parse(closed ?? "{}") as { answer?: string };
  return { answer: JSON.parse(answer ?? "null") as unknown, child, report: player.report() };
}

describe("an agent that was recorded over HTTP", () => {
  test("gets in a process of its own what it got then, and the server sees nothing", async () => {
    const before = server.requests.length;
    const { answer, child, report } = await replay({});
    expect(child.outcome).toEqual({ type: "returned" });
    expect(answer).toEqual(JSON.parse(recorded.result));
    // What the tool asked lies below the tool, which was answered itself.
    expect(report).toMatchObject({ hits: 5, misses: [], unused: [] });
    expect(server.requests.length).toBe(before);
  });

  test("is refused what it did not ask then, and told so", async () => {
    const before = server.requests.length;
    const { answer, report } = await replay({ more: true });
    expect(answer).toMatchObject({
      extra: expect.stringContaining("no recorded answer for http call GET 127.0.0.1") as string,
    });
    expect(report.misses).toMatchObject([{ reason: "used_up" }]);
    expect(server.requests.length).toBe(before);
  });
});
