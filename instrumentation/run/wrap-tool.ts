import type { SideEffectClass } from "../contract/evidence.ts";
import type { CallSpec } from "./call-spec.ts";
import { recordCall } from "./record-call.ts";

/** A tool as the agent knows it. */
export interface ToolSpec<Result> extends Omit<CallSpec<Result>, "kind" | "sideEffect" | "callId"> {
  /** What the tool may do to the world. Default `write`: a tool nobody described may change anything. */
  readonly sideEffect?: SideEffectClass;
}

/** Per call, where the model gave it an id. */
export interface ToolCallOptions {
  readonly callId?: string;
}

/**
 * Wraps a tool so that each call inside a run is recorded: name, arguments, result, error class, retries, timing and
 * side-effect class, redacted. The wrapped tool gives back and throws what the tool does; outside a run it is the tool.
 * In a replay the cassette answers instead, with the JSON form of the recorded result.
 */
export function wrapTool<Args, Result>(
  spec: ToolSpec<Awaited<Result>>,
  tool: (args: Args) => Result,
): (args: Args, options?: ToolCallOptions) => Promise<Awaited<Result>> {
  const anyCall: CallSpec<Awaited<Result>> = { sideEffect: "write", ...spec, kind: "tool", slot: {} };
  return (args, { callId } = NO_OPTIONS) =>
    recordCall(
      callId === undefined ? anyCall : { ...anyCall, callId },
      args,
      () => tool(args) as Promise<Awaited<Result>>,
    );
}

const NO_OPTIONS: ToolCallOptions = {};

/** A model as the agent calls it. */
export interface ModelSpec<Result> extends Pick<CallSpec<Result>, "capture" | "retries" | "retryWaitMillis"> {
  /** Model name as requested. */
  readonly model: string;
}

/**
 * Wraps a model call the same way, so that a replay needs no model. Whole requests and responses are recorded.
 */
export function wrapModel<Request, Response>(
  spec: ModelSpec<Awaited<Response>>,
  model: (request: Request) => Response,
): (request: Request) => Promise<Awaited<Response>> {
  const { model: name, ...rest } = spec;
  const anyCall: CallSpec<Awaited<Response>> = { ...rest, kind: "model", name, sideEffect: "read", slot: {} };
  return (request) => recordCall(anyCall, request, () => model(request) as Promise<Awaited<Response>>);
}
