import { patch, prototypeOf, undoAll } from "../operation/index.ts";
import { observedGenerate, observedStream } from "./observed-agent.ts";
import { observedTools } from "./observed-tools.ts";

/**
 * Records what agents of Mastra do (`@mastra/core` 1): `generate()` and `stream()` open a run where none is open, and
 * their tools are recorded calls, answered in a replay. Sub-agents and workflows are calls that are watched. Model
 * traffic is recorded by `instrumentHttp()`.
 *
 * `exports` of `@mastra/core/agent`; the class itself is patched. Returns what undoes it.
 */
export function instrumentMastra(exports: unknown): () => void {
  const agent = prototypeOf(exports, "Agent");
  return undoAll([
    patch(agent, "generate", observedGenerate),
    patch(agent, "stream", observedStream),
    patch(agent, "convertTools", observedTools),
  ]);
}
