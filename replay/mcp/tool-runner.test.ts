import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ToolAnswer } from "./answer/envelope.ts";
import { fixedScope, type OwnScope } from "./own-scope.ts";
import { defineTool, type McpTool, READS, type ToolCall } from "./tool.ts";
import { createToolRunner } from "./tool-runner.ts";

const never = new AbortController().signal;

const toolThat = (run: (call: ToolCall) => Promise<ToolAnswer>, more: Partial<McpTool> = {}): McpTool => ({
  ...defineTool({
    name: "a_tool",
    title: "A tool",
    description: "Does something.",
    access: "read",
    hints: READS,
    input: z.strictObject({}),
    limitSeconds: 60,
    run: (_args, call) => run(call),
  }),
  ...more,
});

const runnerIn = (scope: OwnScope = fixedScope(undefined), signal = never) =>
  createToolRunner({ context: { env: { A: "1" }, cwd: "/", signal }, scopeOf: async () => scope });

/** Works until its call is ended. */
const untilAborted = ({ context }: ToolCall): Promise<ToolAnswer> =>
  new Promise((resolve) => {
    const done = (): void => resolve({ outcome: "interrupted", data: { kept: true } });
    context.signal.addEventListener("abort", done, { once: true });
  });

const outcomeOf = (result: { structuredContent?: Record<string, unknown> | undefined }) =>
  result.structuredContent?.["outcome"];

describe("a tool runner", () => {
  test("answers with what the tool says, in the caller's environment and project", async () => {
    const tool = toolThat(async ({ context, project }) => ({ outcome: "ok", data: { env: context.env, project } }));
    const result = await runnerIn(fixedScope("shop")).call(tool, { args: {}, signal: never, env: { B: "2" } });
    expect(result.structuredContent).toMatchObject({ untrusted_data: { env: { A: "1", B: "2" }, project: "shop" } });
  });

  test("makes an answer of what a tool throws, inside the envelope", async () => {
    const tool = toolThat(() => Promise.reject(new Error("agent <do as I say>")));
    const { isError, content, structuredContent } = await runnerIn().call(tool, { args: {}, signal: never });
    expect(isError).toBe(true);
    expect(structuredContent).toMatchObject({
      outcome: "environment",
      untrusted_data: { problems: ["agent <do as I say>"] },
    });
    expect(JSON.stringify(content[0])).not.toContain("do as I say");
  });

  test("executes nothing in a scope that is not authorised", async () => {
    let executed = 0;
    const refusing: OwnScope = {
      withScope: async () => ({ kind: "refused", code: "unauthorized", explanation: "nobody may" }),
    };
    const tool = toolThat(async () => ({ outcome: "ok", data: { executed: ++executed } }));
    const result = await runnerIn(refusing).call(tool, { args: {}, signal: never });
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toMatchObject({
      outcome: "not_permitted",
      untrusted_data: { code: "unauthorized", problems: ["nobody may"] },
    });
    expect(executed).toBe(0);
    // Only what tells of the scope itself answers all the same.
    const telling = await runnerIn(refusing).call({ ...tool, unscoped: true }, { args: {}, signal: never });
    expect(telling.isError).toBe(false);
  });

  test("ends a call whose time is up, and keeps what it found", async () => {
    const result = await runnerIn().call(toolThat(untilAborted, { limitSeconds: 0.02 }), { args: {}, signal: never });
    expect(result).toMatchObject({
      isError: true,
      structuredContent: { outcome: "timed_out", untrusted_data: { kept: true } },
    });
  });

  test("ends a call that the client cancels, and all calls with the server", async () => {
    const client = new AbortController();
    const cancelled = runnerIn().call(toolThat(untilAborted), { args: {}, signal: client.signal });
    client.abort();
    expect(outcomeOf(await cancelled)).toBe("interrupted");

    const server = new AbortController();
    const runner = runnerIn(fixedScope(undefined), server.signal);
    const open = runner.call(toolThat(untilAborted), { args: {}, signal: never });
    server.abort();
    expect(outcomeOf(await open)).toBe("interrupted");
    await runner.idle();
  });

  test("lets tools that write go one at a time; one that waits can be cancelled without having begun", async () => {
    const runner = runnerIn();
    const [first, second] = [new AbortController(), new AbortController()];
    let [working, most, begun] = [0, 0, 0];
    const tool = toolThat(
      async (call) => {
        begun++;
        most = Math.max(most, ++working);
        const answer = await untilAborted(call);
        await sleep(5);
        working--;
        return answer;
      },
      { access: "write" },
    );
    const one = runner.call(tool, { args: {}, signal: first.signal });
    const two = runner.call(tool, { args: {}, signal: second.signal });
    await sleep(5);
    second.abort();
    expect(outcomeOf(await two)).toBe("interrupted");
    expect(begun).toBe(1);
    first.abort();
    await one;
    await runner.idle();
    expect([begun, most]).toEqual([1, 1]);
  });

  test("adds what every answer has to say besides", async () => {
    const context = { env: {}, cwd: "/", signal: never };
    const notes = async (): Promise<string[]> => ["start the server again"];
    const runner = createToolRunner({ context, scopeOf: async () => fixedScope(undefined), notes });
    const tool = toolThat(async () => ({ outcome: "ok", data: {}, advice: ["go on"] }));
    const { structuredContent } = await runner.call(tool, { args: {}, signal: never });
    expect(structuredContent).toMatchObject({ advice: ["go on", "start the server again"] });
  });

  test("refuses calls beyond a bound, so that no queue grows without end", async () => {
    const client = new AbortController();
    const runner = runnerIn();
    const calls = Array.from({ length: 70 }, () =>
      runner.call(toolThat(untilAborted), { args: {}, signal: client.signal }),
    );
    const last = await calls[69];
    expect(last).toMatchObject({ isError: true, structuredContent: { outcome: "refused" } });
    client.abort();
    await Promise.all(calls);
    await runner.idle();
  });
});
