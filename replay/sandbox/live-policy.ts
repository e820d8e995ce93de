import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";

/** What mode `live` lets happen for real: dependencies that the configuration declares to be read-only. */
export interface LivePolicy {
  readonly tools: readonly string[];
  /** Host names, with port where it is not the scheme's own: `api.example.com`, `localhost:8080`. GET and HEAD only. */
  readonly hosts: readonly string[];
}

/** Whether a call is declared to be safe. What is not is answered from the cassette. */
export function isLiveCall(policy: LivePolicy, { kind, name, arguments: args }: CallRequest): boolean {
  // The kind that HTTP recordings have; calls made through wrappers have others.
  if ((kind as string) === "http") return isLiveRequest(policy, args);
  return kind === "tool" && policy.tools.includes(name);
}

function isLiveRequest({ hosts }: LivePolicy, args: JsonValue | undefined): boolean {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return false;
  const { method, url } = args as Readonly<Record<string, JsonValue>>;
  const target = typeof url === "string" ? URL.parse(url) : null;
  const isRead = method === "GET" || method === "HEAD";
  // A name in the URL's credentials is no host, and a host of another port is another one.
  return isRead && target !== null && target.username === "" && hosts.includes(target.host);
}
