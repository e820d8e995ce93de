import {
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
} from "@opentelemetry/api";
import { currentScope } from "../../run/run-scope.ts";
import type { RpcRequest } from "./mcp-client.ts";

/** A request that carries the trace context it is made in, in `params._meta` (SEP-414). */
export function withTraceMeta(request: RpcRequest): RpcRequest {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  const traceparent = carrier["traceparent"] ?? traceparentHere();
  if (traceparent === undefined) return request;
  const given = request.params?.["_meta"] as object | undefined;
  return { ...request, params: { ...request.params, _meta: { traceparent, ...carrier, ...given } } };
}

/** W3C's form of the active span, else of the place in the run, which is known without an SDK too. */
function traceparentHere(): string | undefined {
  const active = trace.getSpanContext(context.active());
  if (active !== undefined && isSpanContextValid(active)) {
    return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, "0")}`;
  }
  const scope = currentScope();
  return scope === undefined ? undefined : `00-${scope.run.traceId}-${scope.spanId}-01`;
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The context that a request brought along; the active one where it brought none. */
export function contextFromMeta(meta: unknown): Context {
  const carrier = typeof meta === "object" && meta !== null ? meta : {};
  const extracted = propagation.extract(context.active(), carrier);
  if (trace.getSpanContext(extracted) !== trace.getSpanContext(context.active())) return extracted;
  // Without a propagator set up nobody reads it.
  const given = (carrier as { readonly traceparent?: unknown }).traceparent;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(typeof given === "string" ? given : "") ?? [];
  if (traceId === undefined || spanId === undefined) return extracted;
  const traceFlags = Number.parseInt(flags ?? "00", 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
