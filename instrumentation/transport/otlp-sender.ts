import http from "node:http";
import https from "node:https";
import { boundedRequest, reasonOf, type RequestAgents } from "./bounded-request.ts";
import { impatient } from "./impatient-agent.ts";

export interface OtlpRequest {
  /** The signal's own URL: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** OTLP/JSON. */
  readonly body: string;
  readonly deadlineMillis: number;
  /** Whether waiting keeps the process alive. Default false: telemetry is no reason to stay. */
  readonly keepsProcessAlive?: boolean;
  readonly agents?: RequestAgents;
}

export type OtlpResult =
  | { readonly outcome: "acknowledged" }
  /** The collector answered and did not take it. `permanent`: the same body will never be taken. */
  | { readonly outcome: "refused"; readonly status: number; readonly permanent: boolean; readonly reason: string }
  | { readonly outcome: "unreachable"; readonly reason: string };

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Statuses that speak of the body. Anything else may pass: a wrong token is replaced, a full disk is emptied. */
const PERMANENT = new Set([400, 413, 415, 422]);

/** Connections that are kept for the next record and never keep the process alive. */
export const createOtlpAgents = (): RequestAgents => {
  const options = { keepAlive: true, maxSockets: 8, maxFreeSockets: 2, timeout: 30_000 };
  return { http: impatient(new http.Agent(options)), https: impatient(new https.Agent(options)) };
};

/** Posts one OTLP/JSON body. Never throws; the answer is read up to 4 MiB and no further. */
export async function sendOtlp(request: OtlpRequest): Promise<OtlpResult> {
  const url = URL.parse(request.url);
  if (url === null) return { outcome: "unreachable", reason: `not a URL: ${request.url}` };
  const answer = await boundedRequest({
    url,
    method: "POST",
    headers: { ...request.headers, "content-type": "application/json" },
    body: request.body,
    timeoutMillis: request.deadlineMillis,
    maxBytes: MAX_ANSWER_BYTES,
    keepsProcessAlive: request.keepsProcessAlive ?? false,
    ...(request.agents === undefined ? {} : { agents: request.agents }),
  });
  if (answer.outcome === "failed") return { outcome: "unreachable", reason: answer.reason };
  const { status } = answer;
  if (status < 200 || status > 299) {
    return { outcome: "refused", status, permanent: PERMANENT.has(status), reason: `HTTP ${status}` };
  }
  const rejection = rejectionIn(answer.body);
  if (rejection !== undefined) return { outcome: "refused", status, permanent: true, reason: rejection };
  return { outcome: "acknowledged" };
}

/** A 2xx may still say that spans or log records were rejected. An answer nobody can read is taken at its status. */
function rejectionIn(body: Buffer): string | undefined {
  try {
    const answer = JSON.parse(body.toString("utf8")) as {
      partialSuccess?: {
        rejectedSpans?: string | number;
        rejectedLogRecords?: string | number;
        errorMessage?: string;
      };
    } | null;
    const { rejectedSpans, rejectedLogRecords, errorMessage } = answer?.partialSuccess ?? {};
    const rejected = Number(rejectedSpans ?? rejectedLogRecords ?? 0);
    const what = rejectedSpans === undefined ? "log records" : "spans";
    return rejected > 0 ? `${rejected} ${what} rejected: ${errorMessage ?? ""}` : undefined;
  } catch (error) {
    return error instanceof SyntaxError ? undefined : reasonOf(error);
  }
}
