import type { ClientRequest, IncomingMessage } from "node:http";
import { deliverAnswer, polled, type AnswerSink } from "./deliver-answer.ts";
import { tapRequestBody, watch } from "./client-request-tap.ts";
import type { OpenExchange } from "./open-exchange.ts";
import { headerOf } from "./request-json.ts";
import type { RecordedAnswer } from "./recorded-answer.ts";
import { ReplaySocket } from "./replay-socket.ts";
import { lowerCased } from "./undici-headers.ts";

export interface ClientRequestReplay {
  readonly request: ClientRequest;
  readonly url: URL;
  readonly exchange: OpenExchange;
  readonly delayScale: number;
  /** Makes the request after all. */
  readonly connect: () => void;
}

/**
 * Answers a request of `node:http` from the cassette: when the agent has written all of it, a connection that does not
 * exist is put under it, and Node's own parser reads the recorded answer from there.
 */
export function replayClientRequest(replay: ClientRequestReplay): void {
  const { request, exchange, url } = replay;
  const socket = new ReplaySocket(url);
  let isConnected = false;
  const connect = (): void => {
    if (!isConnected) request.onSocket(socket as never);
    isConnected = true;
  };
  const keepWriting = (): void => void setImmediate(() => request.emit("drain"));
  tapRequestBody(request, (bytes) => {
    exchange.sent(bytes);
    // Without a connection nothing flows, and a stream that feeds the request would wait for ever.
    if (!isConnected) keepWriting();
  });
  if (request.getHeader("expect") !== undefined) setImmediate(() => request.emit("continue"));
  // A request that is given up is told so by its connection.
  watch(request, "destroy", () => setImmediate(connect));
  watch(request, "end", () => void setImmediate(() => void answer(replay, { socket, connect })));
}

interface Connection {
  readonly socket: ReplaySocket;
  readonly connect: () => void;
}

async function answer(
  { request, exchange, delayScale, connect }: ClientRequestReplay,
  connection: Connection,
): Promise<void> {
  try {
    const recorded = await exchange.replayed();
    if (recorded === undefined) return connect();
    connection.connect();
    await deliverAnswer(recorded, createSink(request, connection.socket), delayScale);
  } catch (error) {
    connection.connect();
    connection.socket.destroy(error as Error);
  }
}

/** Node keeps the answer there; its types do not say so. */
type Answered = ClientRequest & { readonly res?: IncomingMessage | null };

type Framing = "chunked" | "length" | "until_end";

/** Writes an answer as bytes of HTTP/1.1. */
function createSink(request: ClientRequest, socket: ReplaySocket): AnswerSink {
  let framing: Framing = "until_end";
  const isEmpty = (): boolean => ((request as Answered).res?.readableLength ?? 0) === 0 && socket.readableLength === 0;
  return {
    isGone: () => socket.destroyed,
    head(recorded) {
      framing = framingOf(recorded);
      socket.push(headBytes(recorded), "latin1");
    },
    chunk(bytes) {
      if (bytes.length === 0) return;
      if (framing !== "chunked") return void socket.push(bytes);
      socket.push(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]));
    },
    ready: () => polled(() => socket.destroyed || isEmpty()),
    end() {
      if (framing === "chunked") socket.push("0\r\n\r\n");
      else if (framing === "until_end") socket.push(null);
    },
    fail(error) {
      // How a connection that just ends looks to the agent is for Node to say.
      if ((error as NodeJS.ErrnoException).code === "ECONNRESET" && CUT.test(error.message)) socket.destroy();
      else socket.destroy(error);
    },
  };
}

const CUT = /^(?:aborted|socket hang up)$/;

function framingOf({ headers }: RecordedAnswer): Framing {
  const lower = lowerCased(headers);
  if (/chunked/i.test(headerOf(lower, "transfer-encoding"))) return "chunked";
  return headerOf(lower, "content-length") === "" ? "until_end" : "length";
}

const headBytes = ({ status, status_text: text, headers }: RecordedAnswer): string =>
  [
    `HTTP/1.1 ${status} ${text.replaceAll(/[\r\n]/g, " ")}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "",
    "",
  ].join("\r\n");
