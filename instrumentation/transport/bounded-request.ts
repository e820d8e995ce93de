import { context, createContextKey } from "@opentelemetry/api";
import http from "node:http";
import https from "node:https";
import { unrecorded } from "../capture/unrecorded.ts";

export interface BoundedRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange. */
  readonly timeoutMillis: number;
  /** The answer is cut at this size. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether waiting for the answer keeps the process alive. Default true. */
  readonly keepsProcessAlive?: boolean;
  readonly agents?: RequestAgents;
}

export interface RequestAgents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

export type BoundedAnswer =
  | {
      readonly outcome: "answered";
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      readonly body: Buffer;
      /** False when the body is not all that was promised: cut at `maxBytes`, by the deadline or by the other side. */
      readonly complete: boolean;
      /** Why it is not complete. */
      readonly cut?: string;
    }
  | { readonly outcome: "failed"; readonly reason: string };

// The SDK's own key (`Symbol.for` behind it): spans of our own requests would be noise in the agent's trace.
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** One HTTP exchange, bounded in time and bytes. Follows no redirect, never throws. */
export function boundedRequest(request: BoundedRequest): Promise<BoundedAnswer> {
  return new Promise((resolve) => {
    try {
      const untraced = context.active().setValue(SUPPRESS_TRACING, true);
      unrecorded(() => context.with(untraced, () => exchange(request, resolve)));
    } catch (error) {
      resolve({ outcome: "failed", reason: reasonOf(error) });
    }
  });
}

function exchange(request: BoundedRequest, resolve: (answer: BoundedAnswer) => void): void {
  const { url, agents, method, headers, body } = request;
  const secure = url.protocol === "https:";
  if (!secure && url.protocol !== "http:") throw new Error(`${url.protocol} is not http or https`);
  const agent = secure ? agents?.https : agents?.http;
  const open = (secure ? https : http).request(url, {
    method,
    // A gzip answer would need limits of its own.
    headers: { "accept-encoding": "identity", ...headers, ...(body === undefined ? {} : lengthOf(body)) },
    ...(agent === undefined ? {} : { agent }),
  });
  const collector = new AnswerCollector(request.maxBytes);
  const finish = (cut: string | undefined): void => {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", abort);
    resolve(collector.answer(cut));
    if (cut !== undefined) open.destroy();
  };
  const abort = (): void => finish("aborted");
  const timer = setTimeout(() => finish(`no answer within ${request.timeoutMillis} ms`), request.timeoutMillis);
  if (request.keepsProcessAlive === false) {
    timer.unref();
    open.on("socket", (socket) => socket.unref());
  }
  request.signal?.addEventListener("abort", abort, { once: true });
  if (request.signal?.aborted === true) abort();
  open.on("error", (error) => finish(reasonOf(error)));
  open.on("response", (response) => collector.read(response, finish));
  open.end(body);
}

const lengthOf = (body: string): Record<string, number> => ({ "content-length": Buffer.byteLength(body) });

class AnswerCollector {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #response: http.IncomingMessage | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  read(response: http.IncomingMessage, finish: (cut: string | undefined) => void): void {
    this.#response = response;
    response.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk.subarray(0, this.#maxBytes - this.#bytes));
      this.#bytes += chunk.length;
      if (this.#bytes > this.#maxBytes) finish(`over ${this.#maxBytes} bytes`);
    });
    response.on("end", () => finish(response.complete ? undefined : "cut short"));
    response.on("error", (error) => finish(reasonOf(error)));
  }

  answer(cut: string | undefined): BoundedAnswer {
    const response = this.#response;
    if (response?.statusCode === undefined) return { outcome: "failed", reason: cut ?? "no status" };
    const body = Buffer.concat(this.#chunks);
    const common = { outcome: "answered", status: response.statusCode, headers: response.headers, body } as const;
    return cut === undefined ? { ...common, complete: true } : { ...common, complete: false, cut };
  }
}

/** What went wrong, in words and without a stack. `AggregateError` of a failed connect has an empty message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return error.message !== "" ? error.message : typeof code === "string" ? code : error.name;
}
