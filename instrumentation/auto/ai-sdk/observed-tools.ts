import { callTool, isPatchable, memberOf, textOf, type AnyFunction } from "../operation/index.ts";
import type { Steps } from "./steps.ts";

/** Tools that are copies of ours: a setting may pass through here twice. */
const OBSERVED = new WeakSet<object>();

/** The same tools, each call of which is recorded, and answered in a replay. The caller's objects stay untouched. */
export function observedTools(tools: unknown, steps: Steps): unknown {
  if (!isPatchable(tools)) return tools;
  return Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, observedTool(name, tool, steps)]));
}

function observedTool(name: string, tool: unknown, steps: Steps): unknown {
  const execute = memberOf(tool, "execute");
  // Without it the provider, or somebody outside of this process, runs the tool.
  if (!isPatchable(tool) || typeof execute !== "function" || OBSERVED.has(tool)) return tool;
  const observed: AnyFunction = (input, options) =>
    steps
      .current()
      .within(() =>
        callTool({ name, callId: textOf(memberOf(options, "toolCallId")) }, input, () =>
          execute.call(tool, input, options),
        ),
      );
  const copy: object = Object.create(Object.getPrototypeOf(tool), {
    ...Object.getOwnPropertyDescriptors(tool),
    execute: { value: observed, writable: true, enumerable: true, configurable: true },
  });
  OBSERVED.add(copy);
  return copy;
}
