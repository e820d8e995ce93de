import { parseKeyValues } from "../../instrumentation/environment.ts";
import type { Environment } from "../sandbox/child-environment.ts";

/**
 * What is sent along to the service at `url`: `RUNPROOF_HEADERS`, such as `authorization=Bearer%20<token>`; OpenTelemetry's
 * headers only to the endpoint they are meant for.
 */
export function storeHeaders(env: Environment, url: string): Readonly<Record<string, string>> {
  const isStandard = !env["RUNPROOF_ENDPOINT"] && url === env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  return parseKeyValues(env["RUNPROOF_HEADERS"] || (isStandard && env["OTEL_EXPORTER_OTLP_HEADERS"]) || "");
}
