import type { CallAnswer, CallInterceptor } from "../../instrumentation/capture/call-interceptor.ts";
import type { CallReply, ToChild, ToParent } from "./messages.ts";
import { CassetteMissError, replayedError } from "./replayed-error.ts";

export interface ForwardedCalls {
  readonly interceptor: CallInterceptor;
  /** Takes the parent's answer to an earlier call. */
  settle(answer: Extract<ToChild, { type: "answer" }>): void;
}

/**
 * An interceptor that asks the parent for every answer. The cassette stays outside the agent's process: what was asked
 * and what was left over is known even when the agent exits, hangs or is killed.
 */
export function createForwardedCalls(send: (message: ToParent) => void): ForwardedCalls {
  const waiting = new Map<number, (reply: CallReply) => void>();
  let nextId = 0;
  return {
    interceptor: async (request) => {
      const id = nextId++;
      const { promise, resolve } = Promise.withResolvers<CallReply>();
      waiting.set(id, resolve);
      const { kind, name, path, arguments: args } = request;
      send({ type: "call", id, kind, name, path, ...(args === undefined ? {} : { arguments: args }) });
      return answerFromReply(await promise);
    },
    settle({ id, ...reply }) {
      waiting.get(id)?.(reply);
      waiting.delete(id);
    },
  };
}

function answerFromReply(reply: CallReply): CallAnswer | undefined {
  if (reply.outcome === "live") return undefined;
  if (reply.outcome === "missed") throw new CassetteMissError(reply.message);
  const attempts = reply.attempts?.map((one) => ({
    status: one.status,
    errorClass: one.error_class,
    waitMillis: one.wait_ms,
  }));
  const tried = attempts === undefined ? {} : { attempts };
  return reply.outcome === "returned"
    ? { outcome: "returned", result: reply.result, ...tried }
    : { outcome: "threw", error: replayedError(reply.error), ...tried };
}
