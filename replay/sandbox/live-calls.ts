import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import { isBelow } from "../cassette/call-path.ts";
import type { Environment } from "./child-environment.ts";
import { liveExchange, type LiveRequest } from "./live-exchange.ts";
import { isLiveTool, liveRequest, type LivePolicy } from "./live-policy.ts";
import type { CallReply } from "./messages.ts";

/** The calls of one replay that really happened. */
export interface LiveCalls {
  readonly made: readonly { readonly name: string; readonly path: string }[];
  /** `undefined` for a call that the cassette has to answer. Never rejects. */
  reply(call: CallRequest): Promise<CallReply> | undefined;
}

/**
 * Mode `live`. A declared tool is code of the agent and runs in its process, with all it does to answer; requests to
 * named hosts are made here, by the worker, so that the agent's process needs neither the network nor credentials.
 */
export function createLiveCalls(policy: LivePolicy, environment: Environment): LiveCalls {
  const made: { name: string; path: string }[] = [];
  const tools = new Set<string>();
  return {
    made,
    reply(call) {
      const { name, path } = call;
      if (isBelow(path, tools)) return Promise.resolve({ outcome: "live" });
      if (isLiveTool(policy, call)) {
        tools.add(path);
        made.push({ name, path });
        return Promise.resolve({ outcome: "live" });
      }
      const request = liveRequest(policy, call);
      if (request === undefined) return undefined;
      made.push({ name, path });
      return liveExchange(withCredentials(request, policy, environment)).then((answer) => ({
        outcome: "returned",
        result: answer as unknown as JsonValue,
      }));
    },
  };
}

function withCredentials(request: LiveRequest, { headers = {} }: LivePolicy, environment: Environment): LiveRequest {
  const { host } = new URL(request.url);
  const own = Object.hasOwn(headers, host) ? (headers[host] ?? {}) : {};
  const added = Object.entries(own).flatMap(([header, variable]) => {
    const value = environment[variable];
    return value === undefined ? [] : [[header, value] as const];
  });
  return { ...request, headers: { ...request.headers, ...Object.fromEntries(added) } };
}
