import { patch, prototypeOf, undoAll } from "../operation/index.ts";
import { observedRun } from "./observed-run.ts";
import { observedAgentTool, observedToolMaker } from "./observed-tools.ts";

/**
 * Records what the OpenAI Agents SDK does (`@openai/agents`, `@openai/agents-core`): `run()` opens a run where none is
 * open, function tools are recorded calls, answered in a replay, sub-agents are calls that are watched, and handoffs are
 * events. Model traffic and MCP servers are recorded where they go over the wire.
 *
 * `exports` are the module's own, in a form that can be written, before the agent's code makes its tools. Returns what
 * undoes it; tools made meanwhile stay watched.
 */
export function instrumentOpenAiAgents(exports: unknown): () => void {
  return undoAll([
    patch(exports, "tool", observedToolMaker),
    patch(prototypeOf(exports, "Agent"), "asTool", observedAgentTool),
    patch(prototypeOf(exports, "Runner"), "run", observedRun),
  ]);
}
