import { setTimeout as sleep } from "node:timers/promises";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { createLanes, type Lanes } from "../canary/lanes.ts";
import type { CommandContext } from "../commands/context.ts";
import { type ToolAnswer, toolResult } from "./answer/envelope.ts";
import { ADVICE } from "./answer/outcome.ts";
import { fixedScope, type ScopeOf } from "./own-scope.ts";
import type { McpTool } from "./tool.ts";

export interface ToolRunnerOptions {
  /** Where tools work. `signal` ends all calls. */
  readonly context: Pick<CommandContext, "env" | "cwd" | "signal">;
  readonly scopeOf: ScopeOf;
  /** Fixed sentences that every answer has to say besides. Default: none. */
  readonly notes?: () => Promise<readonly string[]>;
  /** Read tools at the same time. Default 4. Tools that write go one at a time. */
  readonly readers?: number;
}

/** A call as a client makes it. */
export interface CallRequest {
  readonly args: unknown;
  /** Aborted when the client cancels, or is gone. */
  readonly signal: AbortSignal;
  /** What this caller's environment differs in from the server's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told now and then, with what is going on. */
  readonly onProgress?: (message: string) => void;
}

/** Runs tools, for all sessions of a server. */
export interface ToolRunner {
  /** Never rejects: what goes wrong is an answer. */
  call(tool: McpTool, request: CallRequest): Promise<CallToolResult>;
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>;
}

export function createToolRunner({ context, scopeOf, notes, readers = 4 }: ToolRunnerOptions): ToolRunner {
  const lanes: Readonly<Record<McpTool["access"], Lanes>> = { read: createLanes(readers), write: createLanes(1) };
  const running = new Set<Promise<unknown>>();

  async function execute(tool: McpTool, request: CallRequest, signal: AbortSignal): Promise<ToolAnswer> {
    if (signal.aborted) return ended(request, context);
    const env = { ...context.env, ...request.env };
    const scope = tool.unscoped === true ? fixedScope(undefined) : await scopeOf(env);
    const inScope = await scope.withScope(`mcp.${tool.name}`, async (project) =>
      signal.aborted
        ? ended(request, context)
        : tool.run(request.args as never, {
            context: { ...context, env, signal },
            project,
            progress: request.onProgress ?? (() => {}),
          }),
    );
    if (inScope.kind === "executed") return inScope.value;
    return { outcome: "not_permitted", data: { problems: [inScope.explanation], code: inScope.code } };
  }

  /** All who ask wait in one queue, which must not grow without end. */
  const isFull = (): boolean => running.size >= MAX_CALLS;

  async function answerOf(tool: McpTool, request: CallRequest): Promise<ToolAnswer> {
    const limit = AbortSignal.timeout(tool.limitSeconds * 1_000);
    const signal = AbortSignal.any([request.signal, context.signal, limit]);
    let hasBegun = false;
    const work = lanes[tool.access].run(0, () => {
      hasBegun = true;
      return execute(tool, request, signal);
    });
    track(work);
    // Who still waits for a place is answered at once; what runs ends its children first, for a while.
    const left = whenAborted(signal).then(async () => {
      if (hasBegun) await sleep(GRACE_MILLIS, undefined, { ref: false });
      return ended(request, context);
    });
    const answer = await Promise.race([work, left]);
    return signal.aborted && answer.outcome !== "ok" ? { ...ended(request, context), data: answer.data } : answer;
  }

  function track(work: Promise<unknown>): void {
    const settled = work.then(
      () => {},
      () => {},
    );
    running.add(settled);
    void settled.then(() => running.delete(settled));
  }

  return {
    async call(tool, request) {
      const answer = isFull() ? FULL : await answerOf(tool, request).catch((error: unknown) => trouble(error));
      const advice = [...(answer.advice ?? ADVICE[answer.outcome]), ...((await notes?.()) ?? [])];
      return toolResult(tool.name, { ...answer, advice });
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

const GRACE_MILLIS = 30_000;

/** Under way and waiting, of all sessions. */
const MAX_CALLS = 64;

const FULL: ToolAnswer = {
  outcome: "refused",
  data: {},
  advice: ["Too many calls are under way. Wait for their answers, then ask again."],
};

/** Who ended the call: the client or the server, or its own bound. */
const ended = (request: CallRequest, { signal }: Pick<CommandContext, "signal">): ToolAnswer => ({
  outcome: request.signal.aborted || signal.aborted ? "interrupted" : "timed_out",
  data: {},
});

const trouble = (error: unknown): ToolAnswer => ({
  outcome: "environment",
  data: { problems: [error instanceof Error ? error.message : String(error)] },
});

async function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
