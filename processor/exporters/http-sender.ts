import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { knownAuthorities } from "./authorities.ts";
import { type HttpAnswer, outcomeFromHttp } from "./http-outcome.ts";
import { MAX_ANSWER_BYTES, type OtlpRequest, type OtlpSender, type OtlpSenderOptions } from "./otlp-sender.ts";
import type { SendOutcome } from "./otlp-sender.ts";

const PATHS = { traces: "v1/traces", logs: "v1/logs" } as const;
/** Connections are few and reused; idle ones go before most servers close theirs. */
const AGENT = { keepAlive: true, maxSockets: 8, keepAliveMsecs: 4_000, timeout: 60_000 };

const gzipped = promisify(gzip);

/** OTLP/HTTP with protobuf bodies and gzip. */
export function createHttpSender({ endpoint, headers, timeoutMillis, ca }: OtlpSenderOptions): OtlpSender {
  const tls = endpoint.protocol === "https:";
  const agent = tls ? new TlsAgent({ ...AGENT, secureContext: trusting(ca) }) : new Agent(AGENT);
  const open = tls ? httpsRequest : httpRequest;

  return {
    async send({ kind, body }: OtlpRequest, signal: AbortSignal): Promise<SendOutcome> {
      const compressed = await gzipped(body, { level: constants.Z_BEST_SPEED });
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]);
      try {
        const request = open(urlFor(endpoint, kind), {
          method: "POST",
          agent,
          signal: limit,
          headers: {
            "user-agent": "runproof",
            ...headers,
            "content-type": "application/x-protobuf",
            "content-encoding": "gzip",
            "content-length": compressed.length,
          },
        });
        return outcomeFromHttp(await exchange(request, compressed), Date.now());
      } catch (error) {
        return failure(error, limit.aborted && !signal.aborted);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Made once: reading hundreds of certificates for each connection would cost more than the handshake. */
const trusting = (ca: readonly string[] = knownAuthorities()) => createSecureContext({ ca: [...ca] });

function urlFor(endpoint: URL, kind: OtlpRequest["kind"]): URL {
  const base = endpoint.pathname.endsWith("/") ? endpoint.pathname : `${endpoint.pathname}/`;
  return new URL(`${base}${PATHS[kind]}`, endpoint);
}

function failure(error: unknown, timedOut: boolean): SendOutcome {
  if (timedOut) return { status: "retryable", reason: "timeout", message: "no answer in time" };
  const { code, message } = error as NodeJS.ErrnoException;
  return { status: "retryable", reason: "connection", message: code ?? message };
}

/** Sends the body and reads the answer. Rejects when the connection fails or the signal of the request aborts. */
function exchange(request: ClientRequest, body: Uint8Array): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const { statusCode = 0, headers } = response;
      const head = {
        status: statusCode,
        contentType: headers["content-type"] ?? "",
        retryAfter: headers["retry-after"],
      };
      // The head decides; an answer that is cut short or has no end does not change what it says.
      void readCapped(response).then((read) => resolve({ ...head, body: read }), reject);
    });
    request.end(body);
  });
}

/** The body of an answer; nothing of one that is too long or breaks off. Rejects only when the time is over. */
async function readCapped(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      // Leaving the loop destroys the connection.
      if (length > MAX_ANSWER_BYTES) return new Uint8Array();
      chunks.push(chunk);
    }
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    return new Uint8Array();
  }
  return Buffer.concat(chunks, length);
}
