import { failOpen } from "../../fail-open.ts";
import { recordCall } from "../../run/record-call.ts";
import { type AnyFunction, patch } from "../operation/index.ts";
import { sideEffectInContract } from "../side-effect-in-contract.ts";
import { nested, withMember } from "../with-member.ts";

/**
 * Makes the tools given to `beta.messages.toolRunner()` recorded calls, which a replay answers. `exports` of
 * `@anthropic-ai/sdk`. Model calls need no patch: they are recorded as HTTP exchanges. The SDK's own spans stay what
 * they are; they carry no run, so nothing counts twice. Toolsets are left alone. Returns what undoes it.
 */
export function patchAnthropic(exports: unknown): () => void {
  const client = nested(exports, "Anthropic") ?? nested(exports, "default");
  return patch(nested(client, "Beta", "Messages", "prototype"), "toolRunner", withTools);
}

const withTools = (original: AnyFunction): AnyFunction =>
  function toolRunner(body, ...rest) {
    const given = failOpen("looking at the tools of toolRunner()", () => withRecordedTools(body), body);
    return Reflect.apply(original, this, [given, ...rest]);
  };

function withRecordedTools(body: unknown): unknown {
  const tools = nested(body, "tools");
  return Array.isArray(tools) ? withMember(body as object, "tools", tools.map(recordedTool)) : body;
}

type Run = (input: unknown, context?: unknown, ...rest: unknown[]) => unknown;

function recordedTool(tool: unknown): unknown {
  const name = nested(tool, "name");
  const original = nested(tool, "run");
  if (typeof name !== "string" || typeof original !== "function") return tool;
  const run: Run = (input, context, ...rest) => {
    const id = nested(context, "toolUse", "id") ?? nested(context, "toolUseBlock", "id");
    const callId = typeof id === "string" ? { callId: id } : {};
    const execute = async (): Promise<unknown> => await Reflect.apply(original, tool, [input, context, ...rest]);
    return recordCall({ kind: "tool", name, sideEffect: sideEffectInContract(name), ...callId }, input, execute);
  };
  return withMember(tool as object, "run", run);
}
