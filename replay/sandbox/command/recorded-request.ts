import { requestJson } from "../../../instrumentation/auto/http/request-json.ts";
import type { Redactor } from "../../../instrumentation/capture/redactor.ts";
import { canonicalJson } from "../../../instrumentation/json/canonical.ts";
import { isJsonObject, type JsonValue } from "../../../instrumentation/json/json.ts";
import { cutPointers } from "../../../instrumentation/json/pointer.ts";
import type { IgnoreRule, Interaction } from "../../cassette/cassette.ts";
import type { AskedRequest } from "./asked-request.ts";

/** A request as it is compared: what a client of another language writes differently each time is left out. */
export interface ComparableRequest {
  readonly method: string;
  readonly url: string;
  /** As recorded, `{json}`, `{text}` or `{base64}`; `null` for none. */
  readonly body: JsonValue;
}

/** The asked request in the form its recording has, redacted as that was. */
export function comparableRequest({ method, url, headers, body }: AskedRequest, redactor: Redactor): ComparableRequest {
  const bytes = { kept: true, size: body.length, chunks: [{ offsetMillis: 0, bytes: body }] } as const;
  const asked = redactor.json(requestJson({ method, url, headers, body: bytes }, redactor));
  return requestOf(asked) ?? { method, url: redactor.text(url), body: null };
}

/**
 * The first unused recording, in start order, of the same method, address and body. A client in another language sends
 * headers of its own, and no call path, so neither can take part; equal requests are answered in the order they were made.
 * A recorded model call answers a request whose body is its request.
 */
export function recordedRequest(
  asked: ComparableRequest,
  unused: readonly Interaction[],
  ignore: readonly IgnoreRule[],
): Interaction | undefined {
  const fits = (it: Interaction): boolean => {
    const cut = (value: JsonValue): string => canonicalJson(cutPointers(value, pointersFor(it.name, ignore)));
    const recorded = httpRequestOf(it);
    if (recorded !== undefined) return cut({ ...recorded }) === cut({ ...asked });
    return it.kind === "model" && it.arguments !== undefined && cut(it.arguments) === cut(jsonOf(asked.body));
  };
  return [...unused].sort((a, b) => a.index - b.index).find(fits);
}

/** The request of a recorded HTTP exchange; `undefined` for other calls. */
export const httpRequestOf = ({ kind, arguments: args }: Interaction): ComparableRequest | undefined =>
  kind === "http" && args !== undefined ? requestOf(args) : undefined;

function requestOf(args: JsonValue): ComparableRequest | undefined {
  if (!isJsonObject(args)) return undefined;
  const { method, url, body = null } = args;
  return typeof method === "string" && typeof url === "string" ? { method, url, body } : undefined;
}

/** Bodies that are JSON are recorded as `{json}`. */
const jsonOf = (body: JsonValue): JsonValue => (isJsonObject(body) ? (body["json"] ?? body) : body);

const pointersFor = (name: string, ignore: readonly IgnoreRule[]): string[] =>
  ignore.filter((rule) => rule.name === "*" || rule.name === name).flatMap((rule) => rule.pointers);
