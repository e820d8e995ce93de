import { z } from "zod";
import { CALL_KINDS } from "../../instrumentation/capture/call-interceptor.ts";
import { SIDE_EFFECT_CLASSES } from "../../instrumentation/contract/evidence.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";

/** More calls than any run makes; a longer list is refused before it is looked at. */
export const MAX_INTERACTIONS = 100_000;

/**
 * A value a tool was given or gave back. The file was already read by `JSON.parse`, so anything present is JSON; it is
 * kept by identity, because zod's own JSON schema drops a `__proto__` key that a tool really returned.
 */
export const payload = z.custom<JsonValue>((value) => value !== undefined, "is missing");

const text = z.string().max(10_000);
const pointer = z.string().regex(/^(\/.*)?$/s, "a JSON pointer starts with / or is empty");

export const ignoreRuleSchema = z.strictObject({
  /** Name of the calls it applies to, or `*` for all. */
  name: text.min(1),
  /** JSON pointers into the arguments; `*` stands for any array index or key. */
  pointers: z.array(pointer).max(1_000),
});

const call = {
  /** Position in start order, from 0. */
  index: z.int().min(0),
  kind: z.enum(CALL_KINDS),
  name: text,
  /** Call path, `plan#0/search#2`. */
  path: text,
  /** Absent when the call took none that could be kept as JSON. */
  arguments: payload.optional(),
  side_effect: z.enum(SIDE_EFFECT_CLASSES),
  /** Durable reference the call produced. */
  reference: text.optional(),
  /** Milliseconds after the first call of the run. */
  started_offset_ms: z.number().min(0),
  duration_ms: z.number().min(0),
  /** Every try at the call, where it was retried; the answer is that of the last one. */
  attempts: z
    .array(
      z.strictObject({ status: z.enum(["ok", "error"]), error_class: text.nullable(), wait_ms: z.number().min(0) }),
    )
    .max(10_000)
    .optional(),
  source_span_id: text,
  /**
   * `messages`: a model call of which a trace kept the conversation and no bodies. It answers an HTTP request of any known
   * provider that carries the same conversation.
   */
  form: z.literal("messages").optional(),
};

const interactionSchema = z.discriminatedUnion("outcome", [
  z.strictObject({ ...call, outcome: z.literal("returned"), result: payload }),
  z.strictObject({
    ...call,
    outcome: z.literal("threw"),
    /** `class` is its normalised error class, which a verdict may turn on. */
    error: z.strictObject({ name: z.string(), message: z.string(), class: text.optional() }),
  }),
]);

/** `tool_cassettes.json`: the recorded answer of every external call of one run, in start order. */
export const cassetteSchema = z.strictObject({
  format_version: z.literal(1),
  fixture_id: z.string(),
  /** Argument fields that change from run to run and so must not decide a match. */
  ignore: z.array(ignoreRuleSchema).max(1_000),
  interactions: z.array(interactionSchema),
});

export type Cassette = z.output<typeof cassetteSchema>;
export type Interaction = z.output<typeof interactionSchema>;
export type IgnoreRule = z.output<typeof ignoreRuleSchema>;
