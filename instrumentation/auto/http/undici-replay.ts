import { deliverAnswer, polled, type AnswerSink } from "./deliver-answer.ts";
import type { OpenExchange } from "./open-exchange.ts";
import { drainedBody } from "./undici-body.ts";
import { headerObject, rawHeaders } from "./undici-headers.ts";
import { isNewStyle, type DispatchController, type DispatchOptions, type UndiciHandler } from "./undici-types.ts";

export interface UndiciReplay {
  readonly options: DispatchOptions;
  readonly handler: UndiciHandler;
  readonly exchange: OpenExchange;
  readonly delayScale: number;
  /** Makes the request after all, with a body that was read already. */
  readonly dispatch: (body: Buffer) => void;
}

/** Answers a dispatch from the cassette. Whatever goes wrong reaches the client as the error of its request. */
export async function replayDispatch(replay: UndiciReplay): Promise<void> {
  const client = createClient(replay.handler);
  try {
    client.connect();
    const body = await drainedBody(replay.options.body);
    replay.exchange.sent(body);
    const answer = await replay.exchange.replayed();
    if (client.isGone()) return;
    if (answer === undefined) replay.dispatch(body);
    else await deliverAnswer(answer, client, replay.delayScale);
  } catch (error) {
    replay.exchange.break({ type: "failed", error });
    client.fail(error as Error);
  }
}

interface Client extends AnswerSink {
  connect(): void;
}

/** Speaks to a handler as a connection of undici would. */
function createClient(handler: UndiciHandler): Client {
  let gone = false;
  let paused = false;
  const fail = (error: unknown): void => {
    if (gone) return;
    gone = true;
    if (isNewStyle(handler)) handler.onResponseError?.(controller, error);
    else handler.onError?.(error);
  };
  const abort = (reason?: unknown): void => fail(reason ?? requestAborted());
  const controller = createController({ abort, pause: (is) => (paused = is), isPaused: () => paused });
  const isNew = isNewStyle(handler);
  return {
    isGone: () => gone,
    connect: () => (isNew ? handler.onRequestStart?.(controller, null) : handler.onConnect?.(abort, null)),
    head({ status = 0, status_text: text, headers }) {
      const raw = rawHeaders(headers);
      controller.rawHeaders = raw;
      const resume = (): void => void (paused = false);
      if (isNew) handler.onResponseStart?.(controller, status, headerObject(headers), text);
      else if (handler.onHeaders?.(status, raw, resume, text) === false) paused = true;
    },
    chunk(bytes) {
      if (isNew) handler.onResponseData?.(controller, bytes);
      else if (handler.onData?.(bytes) === false) paused = true;
    },
    ready: () => polled(() => gone || (!paused && hasTakenAll(handler))),
    end() {
      // What a handler throws here is told to it as the error of the request; retries are made that way.
      if (isNew) handler.onResponseEnd?.(controller, {});
      else handler.onComplete?.([]);
      gone = true;
    },
    fail,
  };
}

interface ReplayController extends DispatchController {
  rawHeaders: unknown;
}

interface Flow {
  readonly abort: (reason?: unknown) => void;
  readonly pause: (is: boolean) => void;
  readonly isPaused: () => boolean;
}

function createController({ abort, pause, isPaused }: Flow): ReplayController {
  let aborted = false;
  let reason: unknown;
  const controller = {
    rawHeaders: [] as unknown,
    rawTrailers: [] as unknown,
    pause: () => pause(true),
    resume: () => pause(false),
    abort(why?: unknown) {
      if (aborted) return;
      aborted = true;
      reason = why;
      abort(why);
    },
    get aborted() {
      return aborted;
    },
    get reason() {
      return reason;
    },
    get paused() {
      return isPaused();
    },
  };
  return controller;
}

/** Two chunks that lie in the client's buffer together come out of it as one. */
function hasTakenAll({ body, res }: UndiciHandler): boolean {
  const stream = [body, res].find((it) => typeof it?.readableLength === "number");
  return (stream?.readableLength ?? 0) === 0;
}

const requestAborted = (): Error =>
  Object.assign(new Error("Request aborted"), { name: "AbortError", code: "UND_ERR_ABORTED" });
