import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../json/json.ts";
import { codingsOf, decoded } from "../http/content-coding.ts";
import { chunkBytes, type RecordedAnswer } from "../http/recorded-answer.ts";
import { headerOf } from "../http/request-json.ts";
import type { ModelApi } from "./model-exchange.ts";
import { streamEvents } from "./stream-events.ts";

/** Longer answers are not looked into: a small body may unfold to any size. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface AnswerBody {
  readonly body: JsonObject;
  /** From the request to the first bytes of the body, seconds. */
  readonly firstChunkSeconds: number | undefined;
}

/**
 * The body of a recorded answer as one JSON object: as it came, or put together from the events of its stream as far as
 * they came. `undefined` when it is neither.
 */
export function answerBody(answer: JsonValue, api: Pick<ModelApi, "assemble">): AnswerBody | undefined {
  // Made by ourselves, or read by `parseRecordedAnswer()`.
  const { headers, chunks } = answer as unknown as RecordedAnswer;
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const plain = decoded(Buffer.concat(chunks.map(chunkBytes)), codingsOf(headerOf(lower, "content-encoding")));
  if (plain === undefined || plain.length > MAX_BODY_BYTES) return undefined;
  const text = plain.toString("utf8");
  const firstChunkSeconds = chunks[0] === undefined ? undefined : chunks[0][0] / 1_000;
  const isStream = headerOf(lower, "content-type").includes("event-stream") || /^\s*(?:event|data|:)/.test(text);
  if (isStream) return { body: api.assemble(streamEvents(text)), firstChunkSeconds };
  const whole = parseJson(text);
  return isJsonObject(whole) ? { body: whole, firstChunkSeconds } : undefined;
}
