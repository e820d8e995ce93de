import { parseJson } from "../../json/json.ts";
import { callTool, isPatchable, memberOf, textOf, type AnyFunction } from "../operation/index.ts";

/**
 * `tool()`: what the user's function does is recorded, and answered in a replay. Parsing, time limits, guardrails and
 * the text made of an error stay the library's.
 */
export function observedToolMaker(original: AnyFunction): AnyFunction {
  return function (this: unknown, options, ...rest) {
    const execute = memberOf(options, "execute");
    if (!isPatchable(options) || typeof execute !== "function") return original.call(this, options, ...rest);
    const observed: AnyFunction = (input, context, details) => {
      // The name the model knows: the library makes one of what it is given.
      const name = textOf(memberOf(made, "name")) ?? "tool";
      return callTool({ name, callId: callIdOf(details) }, input, () => execute.call(options, input, context, details));
    };
    // A tool without a name takes that of its function.
    Object.defineProperty(observed, "name", { value: execute.name, configurable: true });
    const made: unknown = original.call(this, { ...options, execute: observed }, ...rest);
    return made;
  };
}

/**
 * `Agent.prototype.asTool()`: a sub-agent is a call of a tool that is only watched, and what the sub-agent asks and
 * calls is below it. The tool itself stays the object that the library knows it by.
 */
export function observedAgentTool(original: AnyFunction): AnyFunction {
  return function (this: unknown, ...args) {
    const made = original.apply(this, args);
    const invoke = memberOf(made, "invoke");
    if (!isPatchable(made) || typeof invoke !== "function") return made;
    const observed: AnyFunction = (context, input, details) => {
      const call = { name: textOf(made["name"]) ?? "agent", callId: callIdOf(details), isObserved: true };
      const given = typeof input === "string" ? (parseJson(input) ?? input) : input;
      return callTool(call, given, () => invoke.call(made, context, input, details));
    };
    made["invoke"] = observed;
    return made;
  };
}

const callIdOf = (details: unknown): string | undefined => textOf(memberOf(memberOf(details, "toolCall"), "callId"));
