import { isPatchable, memberOf, patch, prototypeOf, undoAll } from "../operation/index.ts";
import { observedInvoke, observedStream } from "./observed-runnable.ts";
import { observedToolCall } from "./observed-tool.ts";
import { knowCommand } from "./revived.ts";

/**
 * Records what LangChain and LangGraph do (`@langchain/core` 1, `@langchain/langgraph` 1): a graph or a chain opens a
 * run where none is open, nodes and inner chains are steps, and tools are recorded calls below them, answered in a
 * replay. Model traffic is recorded by `instrumentHttp()`.
 *
 * To be called once for each module with its exports: `@langchain/core/tools`, `@langchain/core/runnables`,
 * `@langchain/langgraph` and `@langchain/langgraph/pregel`. Whatever of it they hold is patched, in the classes
 * themselves; exports stay as they are. Returns what undoes it.
 */
export function instrumentLangChain(exports: unknown): () => void {
  const chain = prototypeOf(exports, "RunnableSequence");
  const graph = ownerOf(prototypeOf(exports, "Pregel") ?? prototypeOf(exports, "CompiledStateGraph"), STREAM);
  knowCommand(memberOf(exports, "Command"));
  return undoAll([
    patch(prototypeOf(exports, "StructuredTool"), "call", observedToolCall),
    patch(chain, "invoke", observedInvoke),
    patch(chain, STREAM, observedStream),
    patch(graph, STREAM, observedStream),
  ]);
}

const STREAM = "_streamIterator";

/** The prototype in a chain of them that defines a method. */
function ownerOf(prototype: unknown, method: string): unknown {
  let current = prototype;
  while (isPatchable(current) && !Object.hasOwn(current, method)) current = Object.getPrototypeOf(current);
  return current;
}
