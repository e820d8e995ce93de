import { failOpen } from "../../fail-open.ts";
import {
  beginOperation,
  inOperation,
  isPatchable,
  memberOf,
  textOf,
  thrown,
  type AnyFunction,
  type Operation,
} from "../operation/index.ts";

/** `Agent.prototype.generate()`. */
export function observedGenerate(original: AnyFunction): AnyFunction {
  return async function (this: unknown, ...args) {
    const operation = begin(this, args[0]);
    const call = (): unknown => original.apply(this, args);
    return operation === undefined
      ? await call()
      : await inOperation(operation, call, (result) => textOf(memberOf(result, "text")));
  };
}

/** `Agent.prototype.stream()`: the run ends with the work, which goes on whoever reads. */
export function observedStream(original: AnyFunction): AnyFunction {
  return async function (this: unknown, ...args) {
    const operation = begin(this, args[0]);
    if (operation === undefined) return await original.apply(this, args);
    try {
      const result = await operation.within(() => original.apply(this, args));
      failOpen("watching a stream of Mastra", () => watch(operation, result), undefined);
      return result;
    } catch (error) {
      await operation.end({ error: thrown(error) });
      throw error;
    }
  };
}

const begin = (agent: unknown, messages: unknown): Operation | undefined =>
  beginOperation({
    name: textOf(memberOf(agent, "id")) ?? textOf(memberOf(agent, "name")) ?? "agent",
    agentName: textOf(memberOf(agent, "name")),
    input: () => messages,
  });

function watch(operation: Operation, result: unknown): void {
  const consume = memberOf(result, "consumeStream");
  // Whoever reads first sets the work going; it is the agent's all the same.
  if (isPatchable(result) && typeof consume === "function") {
    result["consumeStream"] = (...args: unknown[]) => operation.within((): unknown => consume.apply(result, args));
  }
  const finished = memberOf(result, "_waitUntilFinished");
  if (typeof finished !== "function") return void operation.end();
  void Promise.resolve(finished.call(result) as unknown).then(
    () => operation.end(endOf(result)),
    (error: unknown) => operation.end({ error: thrown(error) }),
  );
}

function endOf(result: unknown): { readonly error?: unknown; readonly answer?: string | undefined } {
  const error = memberOf(result, "error");
  if (error !== undefined && error !== null) return { error };
  const finishReason = read(result, "_getImmediateFinishReason");
  if (finishReason === "aborted" || finishReason === "abort") return { error: aborted() };
  return { answer: textOf(read(result, "_getImmediateText")) };
}

function read(result: unknown, method: string): unknown {
  const call = memberOf(result, method);
  return typeof call === "function"
    ? failOpen("reading a stream of Mastra", () => call.call(result) as unknown, "")
    : "";
}

const aborted = (): Error => Object.assign(new Error("the run was aborted"), { name: "AbortError" });
