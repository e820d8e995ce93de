import { isUtf8 } from "node:buffer";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { performance } from "node:perf_hooks";
import { headerPairs } from "../../instrumentation/auto/http/header-pairs.ts";
import type { RecordedAnswer, RecordedChunk } from "../../instrumentation/auto/http/recorded-answer.ts";
import { wireErrorFrom } from "../../instrumentation/auto/http/wire-error.ts";

/** A request of mode `live`, as the agent's process told it: without credentials, which never leave that process. */
export interface LiveRequest {
  readonly method: "GET" | "HEAD";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TIMEOUT_MILLIS = 30_000;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Asks a named host on the agent's behalf, and gives back the answer as it came, in the form of a recording: the
 * agent's client reads it like any other. Redirects are the client's to follow. Never rejects: a network that fails is
 * an answer too.
 */
export async function liveExchange({ method, url, headers }: LiveRequest): Promise<RecordedAnswer> {
  const began = performance.now();
  const elapsed = (): number => Math.round((performance.now() - began) * 100) / 100;
  const chunks: RecordedChunk[] = [];
  let head: IncomingMessage | undefined;
  let answeredMillis = 0;
  const told = (end: RecordedAnswer["end"]): RecordedAnswer => ({
    ...(head === undefined ? {} : { status: head.statusCode }),
    status_text: head?.statusMessage ?? "",
    headers: headerPairs(head?.rawHeaders ?? []).filter(([name]) => !CONNECTION.has(name.toLowerCase())),
    answered_ms: answeredMillis,
    chunks,
    end,
    ended_ms: elapsed(),
  });
  try {
    head = await answerOf(method, url, headers);
    answeredMillis = elapsed();
    let size = 0;
    for await (const bytes of head as AsyncIterable<Buffer>) {
      size += bytes.length;
      if (size > MAX_BYTES) throw new Error(`a live answer may be ${MAX_BYTES} bytes`);
      chunks.push(
        isUtf8(bytes) ? [elapsed(), "utf8", bytes.toString()] : [elapsed(), "base64", bytes.toString("base64")],
      );
    }
    return told("complete");
  } catch (error) {
    head?.destroy();
    return told({ error: wireErrorFrom(error, (text) => text) });
  }
}

function answerOf(method: string, url: string, headers: LiveRequest["headers"]): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const signal = AbortSignal.timeout(TIMEOUT_MILLIS);
  send(url, { method, headers, signal, agent: false }, resolve).on("error", reject).end();
  return promise;
}

/** The chunks are handed on without the framing of the connection they came over. */
const CONNECTION: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding"]);
