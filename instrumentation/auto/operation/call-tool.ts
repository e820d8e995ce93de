import { callInterceptor } from "../../capture/call-interceptor.ts";
import { errorClassOf } from "../../capture/error-class.ts";
import { failOpen } from "../../fail-open.ts";
import { openCall, type OpenedCall } from "../../run/open-call.ts";
import type { JsonValue } from "../../json/json.ts";
import { sideEffectInContract } from "../side-effect-in-contract.ts";

/** One call that a stack makes of a tool. */
interface ToolCall {
  readonly name: string;
  /** Id the model gave the call. */
  readonly callId?: string | undefined;
  /** What the tool does is recorded by itself (a sub-agent): a replay lets it happen. Default false. */
  readonly isObserved?: boolean;
  /** Turns the JSON form of a result back into what the stack expects of its tools. Default: as it is. */
  readonly revive?: (result: JsonValue) => unknown;
}

/**
 * Makes a tool's call and records it under the current run. What `execute` returns comes back in kind: a value, a
 * promise, or an async iterable, of which the value it returns, or else the last one it yields, is the result. A replay
 * answers in its place.
 */
export function callTool(tool: ToolCall, args: unknown, execute: () => unknown): unknown {
  const call = failOpen("recording a tool's call", () => openCall(specOf(tool), args), undefined);
  if (call === undefined) return execute();
  if (callInterceptor() !== undefined && tool.isObserved !== true) return answered(tool, call, execute);
  return executed(call, execute);
}

/** A call that failed before the tool was reached: a replay comes to the same by itself. */
export function failedBeforeCall(tool: ToolCall, args: unknown, error: unknown): void {
  const spec = specOf({ ...tool, isObserved: true });
  failOpen("recording a tool's call", () => openCall(spec, args)?.threw(error), undefined);
}

const specOf = ({ name, callId, isObserved = false }: ToolCall) =>
  ({
    kind: "tool",
    name,
    sideEffect: sideEffectInContract(name),
    isObserved,
    ...(typeof callId === "string" && callId !== "" ? { callId } : {}),
  }) as const;

async function answered({ revive }: ToolCall, call: OpenedCall, execute: () => unknown): Promise<unknown> {
  try {
    const answer = await call.answer();
    if (answer === undefined) return await settled(executed(call, execute));
    for (const attempt of answer.attempts ?? []) call.attempted(attempt);
    if (answer.outcome === "threw") throw answer.error;
    call.returned(answer.result);
    return revive === undefined ? answer.result : revive(answer.result);
  } catch (error) {
    call.threw(error);
    throw error;
  }
}

/** The final value, for who cannot give back an iterable any more. */
async function settled(value: unknown): Promise<unknown> {
  const result = await value;
  if (!isAsyncIterable(result)) return result;
  let last: unknown;
  for await (const part of result) last = part;
  return last;
}

function executed(call: OpenedCall, execute: () => unknown): unknown {
  let result: unknown;
  try {
    result = call.within(execute);
  } catch (error) {
    failed(call, error);
    throw error;
  }
  return followed(call, result);
}

function followed(call: OpenedCall, result: unknown): unknown {
  if (isAsyncIterable(result)) return watched(call, result);
  if (!isThenable(result)) {
    succeeded(call, result);
    return result;
  }
  return Promise.resolve(result).then(
    (value) => followed(call, value),
    (error: unknown) => {
      failed(call, error);
      throw error;
    },
  );
}

async function* watched(call: OpenedCall, parts: AsyncIterable<unknown>): AsyncGenerator<unknown, unknown> {
  const source = call.within(() => parts[Symbol.asyncIterator]());
  let last: unknown;
  let isOver = false;
  try {
    for (;;) {
      const step = await call.within(() => source.next());
      if (step.done === true) {
        isOver = true;
        succeeded(call, step.value ?? last);
        return step.value;
      }
      last = step.value;
      yield last;
    }
  } catch (error) {
    isOver = true;
    failed(call, error);
    throw error;
  } finally {
    // Whoever listened has heard enough.
    if (!isOver) {
      succeeded(call, last);
      await call.within(() => source.return?.());
    }
  }
}

function succeeded(call: OpenedCall, result: unknown): void {
  call.attempted({ status: "ok", errorClass: null, waitMillis: 0 });
  call.returned(result);
}

function failed(call: OpenedCall, error: unknown): void {
  call.attempted({ status: "error", errorClass: errorClassOf(error), waitMillis: 0 });
  call.threw(error);
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  typeof (value as Partial<PromiseLike<unknown>>).then === "function";
