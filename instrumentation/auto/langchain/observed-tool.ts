import type { JsonValue } from "../../json/json.ts";
import { callTool, failedBeforeCall, memberOf, overriding, textOf, type AnyFunction } from "../operation/index.ts";
import { revived } from "./revived.ts";

/**
 * `StructuredTool.call()`, through which every call of a tool goes. What the tool itself does (`_call()`) is recorded,
 * and answered in a replay; the checks before it, callbacks, and the message made of its result stay the library's.
 */
export function observedToolCall(original: AnyFunction): AnyFunction {
  return async function (this: unknown, given, config, ...rest) {
    const tool = this as object;
    const call = toolCallOf(tool, given, config);
    let answer: JsonValue | undefined;
    let isReached = false;
    const inner: AnyFunction = (...args) => {
      isReached = true;
      const revive = (json: JsonValue): unknown => (answer = json);
      return callTool({ ...call, revive }, call.args, () => (memberOf(tool, "_call") as AnyFunction).apply(tool, args));
    };
    try {
      const result = await original.call(overriding(tool, { _call: inner }), given, config, ...rest);
      return answer === undefined ? result : revived(answer, result);
    } catch (error) {
      if (!isReached) failedBeforeCall(call, call.args, error);
      throw error;
    }
  };
}

function toolCallOf(tool: object, given: unknown, config: unknown) {
  const fromModel = memberOf(given, "type") === "tool_call" ? given : memberOf(config, "toolCall");
  return {
    name: textOf(memberOf(tool, "name")) ?? "tool",
    callId: textOf(memberOf(fromModel, "id")),
    args: given === fromModel ? memberOf(given, "args") : given,
  };
}
