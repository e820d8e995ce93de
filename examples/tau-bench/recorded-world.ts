import type { JsonValue } from "../../instrumentation/index.ts";
import type { AirlineInput, AirlineWorld, AssistantTurn } from "./airline-agent.ts";
import type { ChatMessage, RecordedRun } from "./recorded-run.ts";

/** What the agent is given, read off a recording. */
export function inputOf(run: RecordedRun): AirlineInput {
  const { actions, outputs } = run.info.task;
  const firstMessage = run.traj.find((message) => message.role === "user")?.content ?? "";
  return { taskId: run.task_id, trial: run.trial, firstMessage, actions, outputs };
}

/** A world that answers what was recorded, message by message. */
export function recordedWorld(run: RecordedRun): AirlineWorld {
  const rest = run.traj.slice(run.traj.findIndex((message) => message.role === "user") + 1);
  const take = (role: ChatMessage["role"]): ChatMessage | undefined => {
    if (rest[0]?.role !== role) return undefined;
    return rest.shift();
  };
  return {
    async model() {
      const message = take("assistant");
      return message === undefined ? null : turnOf(message);
    },
    // A recording that ends right after a call has no answer to it.
    tool: async () => take("tool")?.content ?? "",
    user: async () => take("user")?.content ?? "",
  };
}

const turnOf = (message: ChatMessage): AssistantTurn => ({
  content: message.content ?? null,
  toolCalls: (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments) as JsonValue,
  })),
});
