import { homedir } from "node:os";
import { join } from "node:path";
import { CAPTURE_POLICIES, type CapturePolicy } from "./capture/capture-value.ts";
import { RUN_TYPES } from "./contract/run-record.ts";
import type { RunproofOptions } from "./options.ts";

/** Environment variables as a dictionary; `process.env` has this shape. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `RUNPROOF_*` (`RUNPROOF_ENDPOINT` is a base URL or ends with `/v1/traces`; it wins, and then only
 * `RUNPROOF_HEADERS` are sent) and the standard `OTEL_*` variables. Empty counts as unset (OpenTelemetry specification).
 * `OTEL_SDK_DISABLED=true` turns the flush-now path and the spool off.
 */
export function optionsFromEnvironment(env: Environment): RunproofOptions {
  if (isSdkDisabled(env)) return { endpoint: null, stateDirectory: null };
  const resource = parseKeyValues(value(env, "OTEL_RESOURCE_ATTRIBUTES") ?? "");
  const runType = RUN_TYPES.find((one) => one === value(env, "RUNPROOF_RUN_TYPE"));
  const state = value(env, "RUNPROOF_STATE_DIR");
  return defined({
    endpoint: endpointFrom(env),
    headers: headersFrom(env),
    project: value(env, "RUNPROOF_PROJECT") ?? resource["runproof.project"],
    serviceName: value(env, "OTEL_SERVICE_NAME") ?? resource["service.name"],
    codeVersion: value(env, "RUNPROOF_CODE_VERSION") ?? resource["service.version"],
    fixtureId: value(env, "RUNPROOF_FIXTURE_ID"),
    redactionKey: value(env, "RUNPROOF_REDACTION_KEY"),
    runType,
    capture: captureFrom(env),
    stateDirectory: state === "off" ? null : state,
  });
}

/** `OTEL_SDK_DISABLED=true`: nothing is to be recorded. */
export const isSdkDisabled = (env: Environment): boolean => value(env, "OTEL_SDK_DISABLED")?.toLowerCase() === "true";

/**
 * Our own word, else OpenTelemetry's on message content. What may be kept at all is kept on spans, where a replay finds
 * it, so its other values (`SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`, `true`) leave the default.
 */
function captureFrom(env: Environment): CapturePolicy | undefined {
  const own = value(env, "RUNPROOF_CAPTURE")?.toLowerCase();
  const policy = CAPTURE_POLICIES.find((known) => known === own);
  if (policy !== undefined) return policy;
  const content = value(env, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT") ?? "";
  return /^(?:no_content|false)$/i.test(content) ? "hash" : undefined;
}

/** Where state lives when nobody says: the XDG state folder of the user. */
export const defaultStateDirectory = (env: Environment): string =>
  join(value(env, "XDG_STATE_HOME") ?? join(homedir(), ".local", "state"), "runproof");

function endpointFrom(env: Environment): string | null | undefined {
  const own = value(env, "RUNPROOF_ENDPOINT");
  if (own === "off") return null;
  if (own !== undefined) return own.endsWith(TRACES_PATH) ? own : belowBase(own);
  const traces = value(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = value(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  return traces ?? (base === undefined ? undefined : belowBase(base));
}

const TRACES_PATH = "/v1/traces";
const belowBase = (base: string): string => base.replace(/\/+$/, "") + TRACES_PATH;

/** Credentials meant for another backend do not go to an endpoint of our own. */
function headersFrom(env: Environment): Record<string, string> {
  const standard = value(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS") ?? value(env, "OTEL_EXPORTER_OTLP_HEADERS");
  const own = value(env, "RUNPROOF_HEADERS");
  return parseKeyValues(own ?? (value(env, "RUNPROOF_ENDPOINT") === undefined ? (standard ?? "") : ""));
}

const value = (env: Environment, name: string): string | undefined => env[name]?.trim() || undefined;

/** `a=1,b=2%20x`, percent-decoded: the form of `OTEL_RESOURCE_ATTRIBUTES` and of the header variables. */
export function parseKeyValues(text: string): Record<string, string> {
  const pairs = text.split(",").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    return at <= 0 ? [] : [[pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Loose<T> = { [K in keyof T]: T[K] | undefined };
const defined = (options: Loose<RunproofOptions>): RunproofOptions =>
  Object.fromEntries(Object.entries(options).filter(([, entry]) => entry !== undefined)) as RunproofOptions;
