import { answerText } from "./answer-text.ts";
import { partialSuccessFrom, rpcStatusFrom } from "./export-answer.ts";
import type { SendOutcome } from "./otlp-sender.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  /** Empty when it was longer than anybody reads, or cut short. */
  readonly body: Uint8Array;
}

/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes: these and no others. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** The answer is about what the body holds, or how much. */
const ABOUT_THE_BODY: ReadonlySet<number> = new Set([400, 413, 422]);

export function outcomeFromHttp(answer: HttpAnswer, now: number): SendOutcome {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const { rejected, message } = isProtobuf(answer) ? partialSuccessFrom(answer.body) : jsonPartialSuccess(answer);
    return { status: "sent", rejected, message: answerText(message) };
  }
  const reason = `http_${status}`;
  const message = `HTTP ${status} ${answerText(textOf(answer))}`.trim();
  if (!RETRYABLE.has(status)) return { status: "refused", reason, message, divisible: ABOUT_THE_BODY.has(status) };
  const waitMillis = waitFrom(answer.retryAfter, now);
  return { status: "retryable", reason, message, ...(waitMillis !== undefined && { waitMillis }) };
}

const isProtobuf = ({ contentType }: HttpAnswer): boolean => /^application\/x-protobuf\b/i.test(contentType);

/** Some answer JSON whatever they were sent. */
function jsonPartialSuccess({ body }: HttpAnswer): { readonly rejected: number; readonly message: string } {
  const partial = memberOf(jsonFrom(body), "partialSuccess");
  const message = memberOf(partial, "errorMessage");
  const rejected = Number(memberOf(partial, "rejectedSpans") ?? memberOf(partial, "rejectedLogRecords") ?? 0);
  return {
    rejected: Number.isSafeInteger(rejected) ? Math.max(0, rejected) : 0,
    message: typeof message === "string" ? message : "",
  };
}

function textOf(answer: HttpAnswer): string {
  if (isProtobuf(answer)) return rpcStatusFrom(answer.body)?.message ?? "";
  const message = memberOf(jsonFrom(answer.body), "message");
  return typeof message === "string" ? message : Buffer.from(answer.body).toString("utf8", 0, 1_000);
}

function jsonFrom(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

/** `Retry-After`: seconds or a date (RFC 9110, 10.2.3). */
function waitFrom(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
