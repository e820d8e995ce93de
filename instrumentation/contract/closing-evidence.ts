import { z } from "zod";
import { parseJson, type JsonValue } from "../json/json.ts";
import type { ClosingEvidence } from "./evidence.ts";

const text = z.string();
const size = z.number().nullable();
const json = z.json() as z.ZodType<JsonValue>;

const artifact = z.object({
  name: text,
  kind: text,
  ref: text,
  state: z.enum(["present", "missing", "unreadable", "unchecked"]),
  bytes: size,
  sha256: text.nullable(),
  schemaErrors: z.array(text).nullable(),
  detail: text.nullable(),
});

const answerMatch = z.object({
  rule: z.object({ contains: text, ignoreCase: z.boolean(), ignoreCharacters: text }),
  holds: z.boolean(),
});

const schema = z.object({
  version: z.literal(1),
  claim: z.object({ outcome: z.enum(["done", "skipped", "blocked"]), detail: text }).nullable(),
  error: z.object({ errorClass: text, message: text }).nullable(),
  artifacts: z.array(artifact),
  paths: z.array(z.object({ path: text, exists: z.boolean(), bytes: size })),
  changedPaths: z.array(text).nullable(),
  state: z.object({ before: json, after: json }).nullable(),
  verification: z
    .object({
      command: z.array(text),
      exitCode: size,
      timedOut: z.boolean(),
      outputTail: text,
      outputSha256: text.nullable(),
    })
    .nullable(),
  answer: text.nullable(),
  answerMatches: z.array(answerMatch).optional(),
  toolCallCount: z.int().min(0),
  stepCount: z.int().min(0),
  exchangeCount: z.int().min(0).optional(),
  silentRetryCount: z.int().min(0).optional(),
  gaps: z.array(text),
}) satisfies z.ZodType<ClosingEvidence>;

/** Reads closing evidence off a span, which anybody may have sent. `null` when it does not hold together. */
export function parseClosingEvidence(value: string): ClosingEvidence | null {
  const parsed = schema.safeParse(parseJson(value));
  return parsed.success ? parsed.data : null;
}
