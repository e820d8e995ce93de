import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerApi } from "../api/answer-api.ts";
import type { ApiRoute } from "../api/api-route.ts";
import { type ApiAnswer, askerOf, type Guard, hasBody } from "../api/asker.ts";
import type { Authenticator } from "../auth/identity.ts";
import { isLoopback } from "../auth/exposure.ts";
import type { Component } from "../component.ts";
import type { MetricsText } from "../telemetry/index.ts";
import { type Check, fail, healthReport } from "./health-check.ts";

export interface AdminServerOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 9464, the usual one of Prometheus exporters made with OpenTelemetry; 0 takes a free one. */
  readonly port?: number;
  /** `GET /healthz`: a `fail` among these says that a restart would help. */
  readonly liveness: () => readonly Check[];
  /** `GET /readyz`: a `fail` among these says that requests should go elsewhere. */
  readonly readiness: () => readonly Check[];
  /** `GET /metrics`. */
  readonly metrics: () => Promise<MetricsText>;
  /** Metrics are about all projects: where tokens are configured, they take one with the scope `admin`. */
  readonly authenticator: Authenticator;
  /** Show the metrics beyond loopback although nobody is asked who they are. Default `false`. */
  readonly allowUnauthenticated?: boolean;
  /** Read at each request: what the service tells under `/v1/…`. Default: nothing. */
  readonly routes?: () => readonly ApiRoute[];
}

/** The endpoint of those who run the service. Probes are open to everybody who reaches it, metrics are not. */
export interface AdminServer extends Component {
  /** Where it listens. @throws Error before `start()` */
  address(): { readonly host: string; readonly port: number };
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A probe is a line and a header or two. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};
const MAX_CONNECTIONS = 64;
const STOP_MILLIS = 1_000;

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { host = "127.0.0.1", port = 9464 } = options;
  let server: Server | undefined;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await replyTo(request, options).catch((error: unknown) => json(500, { error: String(error) }));
    const bytes = Buffer.from(reply.text);
    response.writeHead(reply.status, {
      "content-type": reply.type,
      "content-length": bytes.length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      // What is left of a body that nobody asked for must not be read as the next request.
      ...(hasBody(request) && { connection: "close" }),
      ...reply.headers,
    });
    response.end(request.method === "HEAD" ? undefined : bytes);
  }

  return {
    async start() {
      const started = createServer(LIMITS, (request, response) => void respond(request, response));
      started.maxConnections = MAX_CONNECTIONS;
      await new Promise<void>((resolve, reject) => {
        started.once("error", reject);
        started.listen(port, host, () => {
          started.off("error", reject);
          resolve();
        });
      });
      server = started;
    },
    async shutdown() {
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      const closed = new Promise<void>((resolve) => stopping.close(() => resolve()));
      const deadline = setTimeout(() => stopping.closeAllConnections(), STOP_MILLIS);
      await closed;
      clearTimeout(deadline);
    },
    address() {
      const address = server?.address();
      if (typeof address !== "object" || address === null) throw new Error("the operations endpoint is not listening");
      return { host: address.address, port: address.port };
    },
  };
}

async function replyTo(request: IncomingMessage, options: AdminServerOptions): Promise<Reply> {
  if (!isOwnName(request, options.host ?? "127.0.0.1")) return json(403, { error: "unknown Host" });
  const api = await apiReply(request, options);
  if (api !== undefined) return api;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { ...json(405, { error: "Use GET." }), headers: { allow: "GET, HEAD" } };
  }
  if (hasBody(request)) return json(413, { error: "A request has no body here." });
  switch ((request.url ?? "/").split("?")[0]) {
    case "/healthz":
      return health(options.liveness);
    case "/readyz":
      return health(options.readiness);
    case "/metrics":
      return refusedMetrics(request, options) ?? (await metrics(options));
    default:
      return json(404, { error: "There are /healthz, /readyz, /metrics and /v1/…." });
  }
}

async function apiReply(request: IncomingMessage, options: AdminServerOptions): Promise<Reply | undefined> {
  const answer = await answerApi(request, { ...guardOf(options), routes: options.routes?.() ?? [] });
  return answer && replyOf(answer);
}

const guardOf = ({ authenticator, host = "127.0.0.1", allowUnauthenticated = false }: AdminServerOptions): Guard => ({
  authenticator,
  host,
  allowUnauthenticated,
});

const replyOf = ({ status, body, headers }: ApiAnswer): Reply => ({
  ...json(status, body),
  ...(headers && { headers }),
});

/** A web page that rebinds its own host name to this address does not get through (DNS rebinding). */
function isOwnName(request: IncomingMessage, host: string): boolean {
  if (!isLoopback(host)) return true;
  return isLoopback((request.headers.host ?? "localhost").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

function health(checks: () => readonly Check[]): Reply {
  const report = healthReport(safely(checks));
  return json(report.status === "fail" ? 503 : 200, report);
}

/** A check that throws has found something. */
function safely(checks: () => readonly Check[]): readonly Check[] {
  try {
    return checks();
  } catch (error) {
    return [fail("checks", error instanceof Error ? error.message : String(error))];
  }
}

function refusedMetrics(request: IncomingMessage, options: AdminServerOptions): Reply | undefined {
  const asker = askerOf(request, { access: "admin", told: "Metrics are not shown" }, guardOf(options));
  return "status" in asker ? replyOf(asker) : undefined;
}

async function metrics(options: AdminServerOptions): Promise<Reply> {
  const found = await options.metrics();
  if (found.status === "unavailable") return json(501, { error: found.message });
  return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", text: found.text };
}

const json = (status: number, body: object): Reply => ({
  status,
  type: "application/json; charset=utf-8",
  text: `${JSON.stringify(body)}\n`,
});
