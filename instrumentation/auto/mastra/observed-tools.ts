import {
  callTool,
  isPatchable,
  memberOf,
  placeHere,
  textOf,
  type AnyFunction,
  type Patchable,
} from "../operation/index.ts";
import { failOpen } from "../../fail-open.ts";

/** `Agent.prototype.convertTools()`: all tools of one call of the agent, as the model will know them. */
export function observedTools(original: AnyFunction): AnyFunction {
  return async function (this: unknown, ...args) {
    const tools = await original.apply(this, args);
    return isPatchable(tools) ? failOpen("instrumenting tools of Mastra", () => observed(tools), tools) : tools;
  };
}

function observed(tools: Patchable): Patchable {
  const place = placeHere();
  if (place === undefined) return tools;
  return Object.fromEntries(
    Object.entries(tools).map(([name, tool]): [string, unknown] => {
      const execute = memberOf(tool, "execute");
      if (!isPatchable(tool) || typeof execute !== "function") return [name, tool];
      const call: AnyFunction = (input, options) => {
        const known = { name, callId: textOf(memberOf(options, "toolCallId")), isObserved: isAgent(name) };
        return place.within(() => callTool(known, input, () => execute.call(tool, input, options)));
      };
      return [name, { ...tool, execute: call }];
    }),
  );
}

/** Sub-agents and workflows are tools of these names; what they ask and call is recorded by itself. */
const isAgent = (name: string): boolean => /^(?:agent|workflow)-/.test(name);
