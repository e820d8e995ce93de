import { withRun, wrapModel, wrapTool, type JsonValue } from "../../instrumentation/index.ts";
import { contractFromTask, WRITING_TOOLS, type AirlineTask } from "./contract-from-task.ts";

export interface AirlineInput extends AirlineTask {
  readonly taskId: number;
  readonly trial: number;
  readonly firstMessage: string;
}

export interface AssistantTurn {
  readonly content: string | null;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: JsonValue }[];
}

/** Everything outside the agent: the model, the tools, the user. A replay answers for all three. */
export interface AirlineWorld {
  /** `null` when the benchmark's step limit cut the conversation off. */
  model(request: ModelRequest): Promise<AssistantTurn | null>;
  tool(name: string, args: JsonValue, callId: string): Promise<string>;
  user(request: { readonly turn: number; readonly said: string }): Promise<string>;
}

/** What is new for the model since its last turn. */
export interface ModelRequest {
  readonly turn: number;
  readonly news: readonly { readonly role: "user" | "tool"; readonly content: string }[];
}

const UNREACHABLE = async (): Promise<never> => {
  throw new Error("this agent plays recorded runs: outside a recording or a replay there is no model, tool or user");
};
const NO_WORLD: AirlineWorld = { model: UNREACHABLE, tool: UNREACHABLE, user: UNREACHABLE };

/** A tool-calling airline agent: asks the model, makes the calls it wants, talks to the user, until the talk is over. */
export default async function runAirlineAgent(
  input: AirlineInput,
  world: AirlineWorld | JsonValue = NO_WORLD,
): Promise<void> {
  const { model, tool, user } =
    world !== null && typeof world === "object" && "model" in world ? (world as AirlineWorld) : NO_WORLD;
  const askModel = wrapModel({ model: "gpt-4o" }, (request: ModelRequest) => model(request));
  const askUser = wrapModel({ model: "simulated-user" }, (request: { turn: number; said: string }) => user(request));
  let state = "open";
  await withRun(
    contractFromTask(input),
    async (run) => {
      let news: ModelRequest["news"] = [{ role: "user", content: input.firstMessage }];
      for (let turn = 0; state === "open"; turn++) {
        const next = await askModel({ turn, news });
        if (next === null) break;
        if (next.content !== null && next.content !== "") run.setAnswer(next.content, { append: true });
        if (next.toolCalls.length > 0) {
          const results: { role: "tool"; content: string }[] = [];
          // One after the other: a later call may depend on what an earlier one changed.
          for (const call of next.toolCalls) results.push({ role: "tool", content: await callTool(tool, call) });
          if (next.toolCalls.some((call) => call.name === "transfer_to_human_agents")) state = "ended";
          news = results;
        } else {
          const reply = await askUser({ turn, said: next.content ?? "" });
          if (reply.includes("###STOP###")) state = "ended";
          news = [{ role: "user", content: reply }];
        }
      }
    },
    { input, taskId: `tau-airline-${input.taskId}`, attempt: input.trial + 1, model: "gpt-4o", readState: () => state },
  );
}

function callTool(tool: AirlineWorld["tool"], call: AssistantTurn["toolCalls"][number]): Promise<string> {
  const recorded = wrapTool(
    {
      name: call.name,
      sideEffect: WRITING_TOOLS.has(call.name) ? "write" : "read",
      // The domain's tools answer with a text instead of throwing, and then have changed nothing.
      errorOf: (result: string) => (result.startsWith("Error") ? "tool_error" : null),
    },
    (args: JsonValue) => tool(call.name, args, call.id),
  );
  return recorded(call.arguments, { callId: call.id });
}
