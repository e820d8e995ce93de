import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import { failOpen } from "../../fail-open.ts";
import { openBoundaryRun, type BoundaryRun } from "./boundary-run.ts";
import { opensRuns } from "./boundary-settings.ts";
import { tapAnswerText } from "./http-answer-text.ts";

export interface HttpServerOptions {
  /** Paths that are no runs; `*` at the end stands for any rest. Default: usual health probes. */
  readonly ignorePaths?: readonly string[] | undefined;
}

const PROBES = ["/health", "/healthz", "/livez", "/live", "/readyz", "/ready", "/ping", "/metrics", "/favicon.ico"];
/** They ask about the service and have it do nothing. */
const IDLE_METHODS = new Set(["HEAD", "OPTIONS"]);
/** Runs about receiving what runs send would never end. */
const TELEMETRY = /\/v1\/(?:traces|metrics|logs)$/;

type Emit = (this: unknown, event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Opens a run for every request that a server of `node:http` or `node:https` answers, if `http` is a boundary. It ends
 * when the response is out or its connection is gone. HTTP/2 servers are not covered. Returns what undoes it.
 */
export function instrumentHttpServers(options: HttpServerOptions = {}): () => void {
  const isIgnored = pathMatcher(options.ignorePaths ?? PROBES);
  const undo = [http.Server, https.Server].map((server) => watchRequests(server.prototype, isIgnored));
  return () => {
    for (const one of undo) one();
  };
}

function watchRequests(prototype: object, isIgnored: (path: string) => boolean): () => void {
  const holder = prototype as { emit?: Emit };
  const original = holder.emit as Emit;
  function emit(this: unknown, event: string | symbol, ...args: unknown[]): boolean {
    const boundary =
      event === "request" ? failOpen("opening a run for a request", () => open(args, isIgnored), undefined) : undefined;
    const go = (): boolean => Reflect.apply(original, this, [event, ...args]);
    return boundary === undefined ? go() : boundary.inContext(go);
  }
  holder.emit = emit;
  return () => {
    if (holder.emit === emit) holder.emit = original;
  };
}

function open(args: readonly unknown[], isIgnored: (path: string) => boolean): BoundaryRun | undefined {
  if (!opensRuns("http")) return undefined;
  const [request, response] = args as [IncomingMessage, ServerResponse];
  const { method = "GET", url = "/" } = request;
  const path = url.split("?", 1)[0] ?? "/";
  if (IDLE_METHODS.has(method) || TELEMETRY.test(path) || isIgnored(path)) return undefined;
  const boundary = openBoundaryRun({ kind: "http", input: { method, url } });
  if (boundary !== undefined) closeWith(boundary, response);
  return boundary;
}

function closeWith(boundary: BoundaryRun, response: ServerResponse): void {
  const answer = tapAnswerText(response);
  response.once("close", () => {
    const error = errorOf(response);
    void boundary.close({ answer: answer(), ...(error === undefined ? {} : { error }) });
  });
}

function errorOf(response: ServerResponse): Error | undefined {
  if (!response.writableFinished) return named("AbortError", "the connection was gone before the response was out");
  return response.statusCode >= 500 ? named("HttpServerError", `answered with ${response.statusCode}`) : undefined;
}

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

/** Whole paths, or beginnings that end with `*`. */
function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const whole = new Set(patterns);
  const beginnings = patterns.filter((it) => it.endsWith("*")).map((it) => it.slice(0, -1));
  return (path) => whole.has(path) || beginnings.some((it) => path.startsWith(it));
}
