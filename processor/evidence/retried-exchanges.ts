import type { RetriedExchange } from "../../instrumentation/contract/evidence.ts";
import { canonicalJson, sha256Hex } from "../../instrumentation/json/canonical.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** The HTTP exchanges of a run that took more than one try, each with the tries up to it. */
export const retriedExchanges = (calls: readonly RecordedCall[]): RetriedExchange[] =>
  calls
    .filter(({ kind, attempts }) => kind === "http" && attempts.length > 1)
    .map(({ spanId, name, errorClass, attempts, ...call }) => ({
      spanId,
      name,
      request: requestOf(call, spanId),
      errorClass,
      attempts,
    }));

/** Place and content: the same request of two tools is two requests. */
function requestOf(call: Pick<RecordedCall, "path" | "arguments" | "argumentsSha256">, spanId: string): string {
  const place = call.path.slice(0, call.path.lastIndexOf("/") + 1);
  if (call.arguments !== undefined) return `${place} ${sha256Hex(canonicalJson(call.arguments))}`;
  return `${place} ${call.argumentsSha256 ?? spanId}`;
}
