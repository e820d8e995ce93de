import { z } from "zod";
import type { JsonValue } from "../../json/json.ts";
import type { WireError } from "./wire-error.ts";

/** Milliseconds after the request began, how the text is written, and the bytes as they came from the wire. */
export type RecordedChunk = readonly [offsetMillis: number, encoding: "utf8" | "base64", text: string];

/**
 * How an answer ended: whole, given up by the agent itself (it aborted, or left it unread until its run closed), or
 * with an error of the network.
 */
export type ExchangeEnd = "complete" | "aborted" | { readonly error: WireError };

/** What came back for one HTTP request: bodies after de-chunking and before decompression. */
export interface RecordedAnswer {
  /** Absent when nothing answered. */
  readonly status?: number | undefined;
  readonly status_text: string;
  /** In the order they came; a repeated name is there as often as it was sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Milliseconds from the request to the head of the answer. */
  readonly answered_ms: number;
  /** Chunks of one offset arrived in one read. */
  readonly chunks: readonly RecordedChunk[];
  readonly end: ExchangeEnd;
  readonly ended_ms: number;
}

const millis = z.number().min(0).max(1e9);
const short = z.string().max(10_000);

const plainError = z.object({
  name: short,
  message: z.string(),
  code: z.union([short, z.number()]).optional(),
  errno: z.union([short, z.number()]).optional(),
  syscall: short.optional(),
  hostname: short.optional(),
  address: short.optional(),
  port: z.number().optional(),
});
const wireError = plainError.extend({ errors: z.array(plainError).max(100).optional() });

const schema = z.object({
  status: z.int().min(200).max(999).optional(),
  status_text: short,
  headers: z.array(z.tuple([short, z.string()])).max(10_000),
  answered_ms: millis,
  chunks: z.array(z.tuple([millis, z.enum(["utf8", "base64"]), z.string()])),
  end: z.union([z.literal("complete"), z.literal("aborted"), z.object({ error: wireError })]),
  ended_ms: millis,
});

/** Reads an answer from a cassette, which anybody may have written. `undefined` when it is none. */
export function parseRecordedAnswer(value: JsonValue): RecordedAnswer | undefined {
  const parsed = schema.safeParse(value).data;
  if (parsed === undefined || !parsed.headers.every(isSendable)) return undefined;
  return parsed as RecordedAnswer;
}

/** A name or value with a line break would become headers of its own. */
const isSendable = ([name, value]: readonly [string, string]): boolean =>
  // oxlint-disable-next-line no-control-regex -- control characters are the point
  /^[!#$%&'*+.^`|~\w-]+$/.test(name) && !/[\u0000-\u0008\u000a-\u001f]/.test(value);

export const chunkBytes = ([, encoding, text]: RecordedChunk): Buffer => Buffer.from(text, encoding);
