import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { certificateNamesOf } from "../auth/client-certificate.ts";
import type { Component } from "../component.ts";
import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { limitConnections } from "./connection-places.ts";
import { FAILED, NO_MEMORY, tooLarge } from "./intake-outcome.ts";
import { createOtlpHandler, type OtlpHandler } from "./otlp-handler.ts";
import { type OtlpSinks, wireLimit } from "./otlp-intake.ts";
import { encodingOf, pathOf } from "./otlp-request.ts";
import { type HttpReply, replyToRefusal } from "./otlp-status.ts";
import { assertGuarded, type ReceiverGuards } from "./receiver-guards.ts";
import { DEFAULT_RECEIVER_LIMITS, type ReceiverLimits } from "./receiver-limits.ts";
import { readBody } from "./request-body.ts";

/** Answers `GET` of one path beside OTLP, such as `/health`. */
export type ExtraRoute = () => HttpReply | Promise<HttpReply>;

export interface OtlpHttpReceiverSettings extends ReceiverGuards {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 4318, OTLP's port; 0 takes a free one. */
  readonly port?: number;
  readonly limits?: Partial<ReceiverLimits>;
  /** By path. `/health` is there by default and answers `{"status":"ok"}`. */
  readonly extraRoutes?: Readonly<Record<string, ExtraRoute>>;
  /** Told of defects; the sender is told to retry. Default: a process warning. */
  readonly onUnexpectedError?: (error: unknown) => void;
}

export type OtlpHttpReceiverOptions = OtlpSinks & OtlpHttpReceiverSettings;

export interface OtlpHttpReceiver extends Component {
  /** Where it listens. @throws Error before `start()` */
  address(): { readonly host: string; readonly port: number };
}

const healthRoute: ExtraRoute = () => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: Buffer.from('{"status":"ok"}'),
});

const warnOfDefect = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

/** How often Node looks for requests over their time; its default of 30 s would double the limits. */
const TIMEOUT_CHECK_MILLIS = 1_000;

/**
 * OTLP/HTTP receiver for traces and logs, protobuf and JSON, plain and gzip.
 * A 2xx leaves only after the consumer has said that the batch's fate is known.
 */
export function createOtlpHttpReceiver(options: OtlpHttpReceiverOptions): OtlpHttpReceiver {
  return new HttpReceiver(options);
}

class HttpReceiver implements OtlpHttpReceiver {
  readonly #options: OtlpHttpReceiverOptions;
  readonly #limits: ReceiverLimits;
  readonly #budget: ByteBudget;
  readonly #handler: OtlpHandler;
  readonly #routes: ReadonlyMap<string, ExtraRoute>;
  readonly #onUnexpectedError: (error: unknown) => void;
  #server: Server | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: OtlpHttpReceiverOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_RECEIVER_LIMITS, ...options.limits };
    this.#budget = options.budget ?? createByteBudget(this.#limits.maxBytesInMemory);
    this.#routes = new Map(Object.entries({ "/health": healthRoute, ...options.extraRoutes }));
    this.#onUnexpectedError = options.onUnexpectedError ?? warnOfDefect;
    this.#handler = createOtlpHandler({
      ...options,
      limits: this.#limits,
      budget: this.#budget,
      onUnexpectedError: this.#onUnexpectedError,
    });
  }

  async start(): Promise<void> {
    const host = this.#options.host ?? "127.0.0.1";
    assertGuarded(host, this.#options);
    const server = this.#createServer();
    const places = limitConnections(server, this.#limits.maxConnections);
    server.on("request", (request, response) => {
      response.once("finish", () => places.keep(request.socket));
      void this.#serve(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#options.port ?? 4318, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#server = server;
  }

  address(): { readonly host: string; readonly port: number } {
    const address = this.#server?.address();
    if (typeof address !== "object" || address === null) throw new Error("the OTLP receiver is not listening");
    return { host: address.address, port: address.port };
  }

  shutdown(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #createServer(): Server {
    const timeouts = {
      headersTimeout: this.#limits.headersTimeoutMillis,
      requestTimeout: this.#limits.requestTimeoutMillis,
      keepAliveTimeout: this.#limits.keepAliveTimeoutMillis,
      connectionsCheckingInterval: TIMEOUT_CHECK_MILLIS,
    };
    const { tls } = this.#options;
    if (tls === undefined) return createServer(timeouts);
    return createTlsServer({ ...timeouts, ...tls, handshakeTimeout: this.#limits.headersTimeoutMillis });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    // `close()` also ends idle connections; the others end with their answer, or at the deadline.
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const deadline = setTimeout(() => server.closeAllConnections(), this.#limits.shutdownTimeoutMillis);
    await closed;
    clearTimeout(deadline);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: HttpReply | undefined;
    try {
      reply = await this.#replyTo(request);
    } catch (error) {
      this.#onUnexpectedError(error);
      reply = this.#handler.refuse(FAILED, encodingOf(request.headers));
    }
    if (reply === undefined || response.destroyed) return;
    const headers: Record<string, string | number> = { ...reply.headers, "content-length": reply.body.length };
    if (this.#stopped !== undefined) headers["connection"] = "close";
    response.writeHead(reply.status, headers).end(request.method === "HEAD" ? undefined : reply.body);
  }

  /** `undefined` when the client is gone. */
  async #replyTo(request: IncomingMessage): Promise<HttpReply | undefined> {
    const { method = "GET", url = "/", headers } = request;
    const route = this.#routes.get(pathOf(url));
    if (route !== undefined) return replyFromRoute(route, method);
    const certificateNames = (): readonly string[] => certificateNamesOf(request.socket);
    const admitted = this.#handler.admit({ method, url, headers, certificateNames });
    if ("status" in admitted) return admitted;
    const maxBytes = wireLimit(admitted.compressed, this.#limits);
    const refusal = tooLarge(maxBytes, "as sent");
    if ((admitted.announcedBytes ?? 0) > maxBytes) return this.#handler.refuse(refusal, admitted.encoding);
    const share = this.#budget.open();
    try {
      const body = await readBody(request, { maxBytes, announcedBytes: admitted.announcedBytes, share });
      switch (body.status) {
        case "complete":
          return await this.#handler.handleBody(admitted, body.bytes, share);
        case "too_large":
          return this.#handler.refuse(refusal, admitted.encoding);
        case "no_memory":
          return this.#handler.refuse(NO_MEMORY, admitted.encoding);
        case "aborted":
          return undefined;
      }
    } finally {
      share.close();
    }
  }
}

async function replyFromRoute(route: ExtraRoute, method: string): Promise<HttpReply> {
  if (method === "GET" || method === "HEAD") return route();
  const refused = replyToRefusal({ refused: "wrong_method", message: `Use GET, not ${method}.` });
  return { ...refused, headers: { ...refused.headers, allow: "GET, HEAD" } };
}
