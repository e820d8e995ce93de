import { z } from "zod";
import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { LiveRequest } from "./live-exchange.ts";

/** What mode `live` lets happen for real: dependencies that the configuration declares to be read-only. */
export interface LivePolicy {
  /** Tools, by name. What they do to answer happens for real too. */
  readonly tools: readonly string[];
  /** Host names, with port where it is not the scheme's own: `api.example.com`, `localhost:8080`. GET and HEAD only. */
  readonly hosts: readonly string[];
  /**
   * Credentials the worker adds for a host, which recordings do not hold: by host, then by header, the name of the
   * environment variable that holds the value.
   */
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
}

/** Whether a call is to a tool that is declared to be safe. What is not is answered from the cassette. */
export const isLiveTool = ({ tools }: LivePolicy, { kind, name }: CallRequest): boolean =>
  kind === "tool" && tools.includes(name);

const requestSchema = z.object({
  method: z.enum(["GET", "HEAD"]),
  url: z.string(),
  headers: z.record(z.string(), z.string()).default({}),
});

/** The request that a call makes to a named host; `undefined` for every other call. */
export function liveRequest({ hosts }: LivePolicy, { kind, arguments: args }: CallRequest): LiveRequest | undefined {
  if (kind !== "http") return undefined;
  const request = requestSchema.safeParse(args satisfies JsonValue | undefined).data;
  const target = request === undefined ? null : URL.parse(request.url);
  if (request === undefined || target === null || !/^https?:$/.test(target.protocol)) return undefined;
  // A name in the URL's credentials is no host, and a host of another port is another one.
  return target.username === "" && hosts.includes(target.host) ? request : undefined;
}
