import { context, SpanKind, SpanStatusCode, trace, type Span } from "@opentelemetry/api";
import { errorClassOf } from "../../capture/error-class.ts";
import { failOpen } from "../../fail-open.ts";
import * as semconv from "../../semconv.ts";
import { atBoundary } from "../boundary/index.ts";
import { patch, prototypeOf } from "../operation/index.ts";
import type { RpcRequest } from "./mcp-client.ts";
import { contextFromMeta } from "./trace-meta.ts";

export interface McpServerOptions {
  /** Whether each call of a tool is a run of its own, of an agent with the tool's name. Default false. */
  readonly opensRuns?: boolean;
}

/**
 * Gives every request that an MCP server handles a span of kind SERVER, in the trace of whoever asked. `exports` of
 * `@modelcontextprotocol/sdk/server/index.js` 1.x or `@modelcontextprotocol/server` 2.x, before servers are made.
 * Returns what undoes it; servers that were made meanwhile keep it.
 */
export const patchMcpServer = (exports: unknown, options: McpServerOptions = {}): (() => void) =>
  patch(
    prototypeOf(exports, "Server"),
    "setRequestHandler",
    (original) =>
      function setRequestHandler(...args) {
        const at = args.findLastIndex((arg) => typeof arg === "function");
        const handler = args[at] as Handler | undefined;
        const given = handler === undefined ? args : args.with(at, tracedHandler(handler, options));
        return Reflect.apply(original, this, given);
      },
  );

/** `extra` of 1.x and `ctx` of 2.x hold the id and the session in different places. */
interface Extra {
  readonly requestId?: unknown;
  readonly sessionId?: unknown;
  readonly mcpReq?: { readonly id?: unknown };
}

type Handler = (request: RpcRequest, extra: Extra) => unknown;

const tracedHandler =
  (handler: Handler, options: McpServerOptions): Handler =>
  (request, extra) => {
    // Handlers of methods that are none of the protocol's get something else.
    if (typeof request?.method !== "string") return handler(request, extra);
    const within = failOpen(
      "reading the trace context",
      () => contextFromMeta(request.params?.["_meta"]),
      context.active(),
    );
    const span = failOpen("opening a server span", () => openSpan(request, extra, within), undefined);
    const work = (): unknown => (options.opensRuns === true ? inRun(handler, request, extra) : handler(request, extra));
    return span === undefined
      ? work()
      : within === undefined
        ? work()
        : ended(span, () => context.with(trace.setSpan(within, span), work));
  };

function openSpan({ method, params }: RpcRequest, extra: Extra, within: ReturnType<typeof contextFromMeta>): Span {
  const target = method === "tools/call" || method === "prompts/get" ? String(params?.["name"]) : "";
  const id: unknown = extra?.requestId ?? extra?.mcpReq?.id;
  const attributes = {
    [semconv.ATTR_MCP_METHOD_NAME]: method,
    ...(method === "tools/call"
      ? { [semconv.ATTR_TOOL_NAME]: target, [semconv.ATTR_OPERATION_NAME]: semconv.OPERATION_EXECUTE_TOOL }
      : {}),
    ...(method === "prompts/get" ? { [semconv.ATTR_PROMPT_NAME]: target } : {}),
    ...(typeof id === "string" || typeof id === "number" ? { [semconv.ATTR_JSONRPC_REQUEST_ID]: String(id) } : {}),
    ...(typeof extra?.sessionId === "string" ? { [semconv.ATTR_MCP_SESSION_ID]: extra.sessionId } : {}),
  };
  const tracer = trace.getTracer(semconv.INSTRUMENTATION_SCOPE);
  return tracer.startSpan(`${method} ${target}`.trim(), { kind: SpanKind.SERVER, attributes }, within);
}

const inRun = (handler: Handler, request: RpcRequest, extra: Extra): unknown => {
  if (request.method !== "tools/call") return handler(request, extra);
  const { name, arguments: input } = request.params ?? {};
  return atBoundary(
    { kind: "agent", agentName: String(name), input: input ?? {} },
    async () => await handler(request, extra),
  );
};

/** Errors of whoever asked (unknown method, wrong parameters) are none of this server's. */
const OF_THE_CLIENT: ReadonlySet<unknown> = new Set([-32_700, -32_600, -32_601, -32_602, -32_002]);

async function ended(span: Span, work: () => unknown): Promise<unknown> {
  try {
    const result = await work();
    const isError = (result as { readonly isError?: unknown } | undefined)?.isError === true;
    endSpan(span, isError ? semconv.ERROR_TOOL : null);
    return result;
  } catch (error) {
    const code: unknown = (error as { readonly code?: unknown } | null)?.code;
    endSpan(span, OF_THE_CLIENT.has(code) ? null : errorClassOf(error));
    throw error;
  }
}

function endSpan(span: Span, errorClass: string | null): void {
  const end = (): void => {
    if (errorClass !== null) {
      span.setAttribute(semconv.ATTR_ERROR_TYPE, errorClass);
      span.setStatus({ code: SpanStatusCode.ERROR, message: errorClass });
    }
    span.end();
  };
  failOpen("ending a server span", end, undefined);
}
