import { isUtf8 } from "node:buffer";
import { isSecretHeader, isSecretName } from "../../capture/redaction-secret-names.ts";
import type { Redactor } from "../../capture/redactor.ts";
import type { JsonValue } from "../../json/json.ts";
import type { CollectedBytes, CollectedChunk } from "./byte-collector.ts";
import { cutInProportion, cutLikeBefore } from "./chunk-boundaries.ts";
import { codingsOf, decoded, encoded } from "./content-coding.ts";
import type { ExchangeEnd, RecordedAnswer, RecordedChunk } from "./recorded-answer.ts";
import { redactBytes } from "./redact-bytes.ts";
import { headerOf, type HeaderList } from "./request-json.ts";

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  /** Names as they were written. */
  readonly headers: HeaderList;
  readonly offsetMillis: number;
}

export interface ObservedAnswer {
  /** Absent when nothing answered. */
  readonly head: AnswerHead | undefined;
  readonly body: Extract<CollectedBytes, { kept: true }>;
  readonly end: ExchangeEnd;
  readonly endedMillis: number;
}

export type AnswerRedactor = Pick<Redactor, "text" | "json">;

/**
 * The answer as it is recorded; `redactor` is absent where secrets are to be kept. `undefined` when the body cannot be
 * looked into and so might hold anything.
 */
export function answerJson(observed: ObservedAnswer, redactor: AnswerRedactor | undefined): JsonValue | undefined {
  const { head, body, end, endedMillis } = observed;
  const headers = head?.headers ?? [];
  const chunks = redactor === undefined ? body.chunks : redactedChunks(body.chunks, headers, redactor);
  if (chunks === undefined) return undefined;
  const hasChanged = chunks !== body.chunks;
  const size = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  const answer: RecordedAnswer = {
    ...(head === undefined ? {} : { status: head.status }),
    status_text: head?.statusText ?? "",
    headers: headers.map(([name, value]) => {
      if (hasChanged && end === "complete" && name.toLowerCase() === "content-length") return [name, String(size)];
      return [name, redactor === undefined ? value : redactedHeader(name, value, redactor)];
    }),
    answered_ms: head?.offsetMillis ?? endedMillis,
    chunks: chunks.map(chunkJson),
    end,
    ended_ms: endedMillis,
  };
  return answer as unknown as JsonValue;
}

const chunkJson = ({ offsetMillis, bytes }: CollectedChunk): RecordedChunk =>
  isUtf8(bytes) ? [offsetMillis, "utf8", bytes.toString("utf8")] : [offsetMillis, "base64", bytes.toString("base64")];

function redactedChunks(
  chunks: readonly CollectedChunk[],
  headers: HeaderList,
  redactor: AnswerRedactor,
): readonly CollectedChunk[] | undefined {
  const before = chunks.map((chunk) => chunk.bytes);
  const whole = Buffer.concat(before);
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const codings = codingsOf(headerOf(lower, "content-encoding"));
  const plain = decoded(whole, codings);
  if (plain === undefined) return undefined;
  const redacted = redactBytes(plain, redactor);
  if (redacted === plain) return chunks;
  const after =
    codings.length === 0 ? cutLikeBefore(before, redacted) : cutInProportion(before, encoded(redacted, codings));
  return chunks.map((chunk, index) => ({ ...chunk, bytes: after[index] ?? Buffer.alloc(0) }));
}

/** Cookies keep their names and attributes, which agents that hold a session look at. */
export function redactedHeader(name: string, value: string, redactor: AnswerRedactor): string {
  if (name.toLowerCase() === "set-cookie") {
    return value.replace(
      /^([^=;]*=)([^;]+)/,
      (_all, lead: string, secret: string) => lead + pseudonym(secret, redactor),
    );
  }
  return isSecretHeader(name) || isSecretName(name) ? pseudonym(value, redactor) : redactor.text(value);
}

function pseudonym(secret: string, redactor: AnswerRedactor): string {
  const { cookie } = redactor.json({ cookie: secret }) as { readonly cookie?: JsonValue };
  return typeof cookie === "string" ? cookie : "";
}
