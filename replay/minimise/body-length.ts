import { chunkBytes, parseRecordedAnswer } from "../../instrumentation/auto/http/recorded-answer.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Interaction } from "../cassette/cassette.ts";

/**
 * A recorded HTTP answer whose body was cut, with the length it now has: a client waits for the bytes it was promised.
 * Everything else is given back as it is.
 */
export function withTrueLength(interaction: Interaction): Interaction {
  if (interaction.kind !== "http" || interaction.outcome !== "returned") return interaction;
  const answer = parseRecordedAnswer(interaction.result);
  if (answer === undefined) return interaction;
  const size = String(answer.chunks.reduce((sum, chunk) => sum + chunkBytes(chunk).length, 0));
  const headers = answer.headers.map(([name, value]) =>
    name.toLowerCase() === "content-length" ? [name, size] : [name, value],
  );
  const result = { ...(interaction.result as { readonly [key: string]: JsonValue }), headers };
  return { ...interaction, result };
}
