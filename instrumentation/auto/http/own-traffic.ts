import { context, createContextKey } from "@opentelemetry/api";
import { callInterceptor } from "../../capture/call-interceptor.ts";
import { tellRefusedTraffic } from "../../capture/refused-traffic.ts";
import { isUnrecorded } from "../../capture/unrecorded.ts";
import { currentScope, type StepScope } from "../../run/run-scope.ts";
import { runtime } from "../../runtime.ts";

/**
 * - `recorded`: a call of the agent inside a run. - `untouched`: telemetry on its way to where it belongs; and outside a
 * replay whatever is no part of a run. - `refused`: in a replay what nobody recorded and nobody may send, because it is
 * made outside of a run, or is telemetry to a place of the agent's own choice.
 */
export type Traffic =
  | { readonly type: "recorded"; readonly scope: StepScope; readonly isReplay: boolean }
  | { readonly type: "untouched" }
  | { readonly type: "refused"; readonly error: Error };

// The SDK's own key (`Symbol.for` behind it): set while exporters send.
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const OTLP_PATH = /\/v1\/(?:traces|metrics|logs)$/;
const ENDPOINTS = [
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
  "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
] as const;

/** Tells the agent's calls from all other traffic of its process. */
export function trafficOf(url: URL, method: string): Traffic {
  const isTelemetry = method === "POST" && OTLP_PATH.test(url.pathname);
  if (isUnrecorded() || (isTelemetry && telemetryOrigins().has(url.origin))) return { type: "untouched" };
  const isReplay = callInterceptor() !== undefined;
  const isExport = isTelemetry || context.active().getValue(SUPPRESS_TRACING) === true;
  const scope = currentScope();
  if (!isExport && scope !== undefined && scope.run.closing === undefined) return { type: "recorded", scope, isReplay };
  if (!isReplay) return { type: "untouched" };
  tellRefusedTraffic({ method, url: `${url.origin}${url.pathname}`, isTelemetry: isExport });
  return { type: "refused", error: refusal(isExport ? "telemetry to another place" : "requests outside of a run") };
}

/** Looks like a place that is down, which whoever sends without a run has to bear. */
const refusal = (what: string): Error =>
  Object.assign(new Error(`connect ECONNREFUSED: a replay lets out no ${what}`), { code: "ECONNREFUSED" });

/** Asked anew each time: a process that runs replays in turn changes both. */
function telemetryOrigins(): ReadonlySet<string> {
  const endpoints = [runtime().options.endpoint, ...ENDPOINTS.map((name) => process.env[name])];
  return new Set(endpoints.flatMap((it) => URL.parse(it ?? "")?.origin ?? []));
}
