import { z } from "zod";
import type { JsonValue } from "../../../instrumentation/json/json.ts";

const part = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), content: z.string() }),
  z.object({ type: z.literal("tool_call"), id: z.string(), name: z.string(), arguments: z.unknown() }),
]);

const message = z.object({
  role: z.literal("assistant"),
  parts: z.array(part).max(10_000),
  finish_reason: z.string().optional(),
});

/** One answer of a model in the form of OpenTelemetry's `gen_ai.output.messages` (v1.41.1). */
export type OutputMessage = z.output<typeof message>;

/**
 * Reads the answer of a model call. `undefined` when it holds what has no known wire form (a picture, a signed thought):
 * a part must never be left out without a word.
 */
export function parseOutputMessage(messages: JsonValue | undefined): OutputMessage | undefined {
  return z.tuple([message]).safeParse(messages).data?.[0];
}

/** Arguments as the text that a provider sends. */
export const argumentsText = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? {});
