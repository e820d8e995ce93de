import { canonicalJson } from "../../json/canonical.ts";
import { toJson } from "../../json/json.ts";
import { failOpen } from "../../fail-open.ts";
import {
  beginOperation,
  inOperation,
  memberOf,
  textOf,
  thrown,
  type AnyFunction,
  type Operation,
} from "../operation/index.ts";
import { watchHandoffs } from "./watch-handoffs.ts";

/** `Runner.prototype.run()`, through which `run()` and sub-agents go too. */
export function observedRun(original: AnyFunction): AnyFunction {
  return async function (this: unknown, ...args) {
    const [agent, input, options] = args;
    const call = (): unknown => original.apply(this, args);
    const agentName = textOf(memberOf(agent, "name"));
    const operation = beginOperation({
      name: agentName ?? "agent",
      agentName,
      input: () => inputOf(input),
      model: textOf(memberOf(agent, "model")) ?? textOf(memberOf(memberOf(this, "config"), "model")),
    });
    if (operation === undefined) return await call();
    failOpen("watching for handoffs", () => watchHandoffs(this), undefined);
    if (memberOf(options, "stream") !== true) return await inOperation(operation, call, answerOf);
    return await streamed(operation, call, options);
  };
}

async function streamed(operation: Operation, call: () => unknown, options: unknown): Promise<unknown> {
  try {
    const result = await operation.within(call);
    void endWithStream(operation, result, memberOf(options, "signal"));
    return result;
  } catch (error) {
    await operation.end({ error: thrown(error) });
    throw error;
  }
}

/** The library works on by itself, whoever reads; `completed` also settles when the reader turned away. */
async function endWithStream(operation: Operation, result: unknown, signal: unknown): Promise<void> {
  try {
    await memberOf(result, "completed");
    if (memberOf(signal, "aborted") === true) await operation.end({ error: thrown(memberOf(signal, "reason")) });
    // Asked before its time the answer is a warning on the console.
    else if (memberOf(result, "cancelled") === true) await operation.end();
    else await operation.end({ answer: failOpen("reading an answer", () => answerOf(result), undefined) });
  } catch (error) {
    await operation.end({ error: thrown(error) });
  }
}

function answerOf(result: unknown): string | undefined {
  const output = memberOf(result, "finalOutput");
  if (output === undefined || typeof output === "string") return textOf(output);
  const json = toJson(output);
  return json === undefined ? undefined : canonicalJson(json);
}

/** A text or a list of items. A state that is taken up again is none that could be given to another process. */
const inputOf = (input: unknown): unknown => (typeof input === "string" || Array.isArray(input) ? input : undefined);
