import { validateHeaderName, validateHeaderValue } from "node:http";
import { z } from "zod";
import { numeric } from "../numeric-setting.ts";

/** What the sender sets itself. */
const RESERVED = /^(host|connection|content-(type|encoding|length)|transfer-encoding|te|grpc-.*|:.*)$/;

/** `OTEL_EXPORTER_OTLP_HEADERS`' form: `key=value,key2=value2`, values URL-encoded. Messages never name a value. */
function headersFrom(text: string, context: z.RefinementCtx): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const problem = at < 1 ? "an entry is not key=value" : problemWith(name, pair.slice(at + 1).trim());
    if (typeof problem === "string") context.addIssue({ code: "custom", message: problem });
    else headers[name] = problem.value;
  }
  return headers;
}

function problemWith(name: string, encoded: string): string | { readonly value: string } {
  if (RESERVED.test(name)) return `${name} is set by the protocol`;
  try {
    validateHeaderName(name);
  } catch {
    return "a key is not the name of a header";
  }
  try {
    const value = decodeURIComponent(encoded);
    validateHeaderValue(name, value);
    return { value };
  } catch {
    return `the value of ${name} is not URL-encoded text that a header can have`;
  }
}

const endpoint = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === "");
}, "must be http(s)://host:port with a path at most; secrets go into forwardHeaders");

/** Forwarding's part of the service configuration, to spread into its schema. */
export const forwardConfigShape = {
  /** Base address of an OTLP receiver that gets everything too; `/v1/traces` and `/v1/logs` are appended for HTTP. Default: none. */
  forwardEndpoint: endpoint.optional(),
  forwardProtocol: z.enum(["http/protobuf", "grpc"]).default("http/protobuf"),
  /** `key=value,key2=value2`, values URL-encoded. */
  forwardHeaders: z.string().default("").transform(headersFrom),
  /** Bytes that wait to be forwarded; beyond it the oldest are given up and counted. Default 512 MiB. */
  forwardMaxBytes: numeric(z.int().min(1_048_576)).default(536_870_912),
  /** For one attempt. */
  forwardTimeoutSeconds: numeric(z.number().min(0.1).max(600)).default(10),
} as const;

const fragment = z.object(forwardConfigShape);
export type ForwardConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const FORWARD_VARIABLES: Readonly<Record<string, keyof ForwardConfig>> = {
  RUNPROOF_FORWARD_ENDPOINT: "forwardEndpoint",
  RUNPROOF_FORWARD_PROTOCOL: "forwardProtocol",
  RUNPROOF_FORWARD_HEADERS: "forwardHeaders",
  RUNPROOF_FORWARD_MAX_BYTES: "forwardMaxBytes",
  RUNPROOF_FORWARD_TIMEOUT_SECONDS: "forwardTimeoutSeconds",
};
