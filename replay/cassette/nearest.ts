import { jsonDifferences } from "../../instrumentation/json/differences.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { IgnoreRule, Interaction } from "./cassette.ts";
import { comparableCall, type MatchableCall } from "./match-key.ts";

/** One field of a call that differs from the recording. A side that has no such field lacks the member. */
export interface CallDifference {
  /** JSON pointer into the call `{kind, name, arguments}`. */
  readonly pointer: string;
  readonly recorded?: JsonValue;
  readonly asked?: JsonValue;
}

export interface NearestRecording {
  readonly interaction: Interaction;
  /** At most `MAX_DIFFERENCES`; empty when the calls are equal but the recording was not free. */
  readonly differences: readonly CallDifference[];
}

/** Longer lists tell nobody more. */
export const MAX_DIFFERENCES = 50;

/**
 * The recording most like a call that has none: same name first, then fewest differing fields, then the earliest.
 * `undefined` for an empty cassette.
 */
export function nearestRecording(
  call: MatchableCall,
  interactions: readonly Interaction[],
  ignore: readonly IgnoreRule[],
): NearestRecording | undefined {
  const asked = comparableCall(call, ignore);
  const sameName = interactions.filter((it) => it.name === call.name && it.kind === call.kind);
  const ranked = (sameName.length > 0 ? sameName : interactions)
    .map((interaction) => ({ interaction, found: jsonDifferences(comparableCall(interaction, ignore), asked) }))
    .sort((a, b) => a.found.length - b.found.length || a.interaction.index - b.interaction.index);
  const best = ranked[0];
  if (best === undefined) return undefined;
  const differences = best.found.slice(0, MAX_DIFFERENCES).map(({ pointer, expected, actual }) => ({
    pointer,
    ...(expected === undefined ? {} : { recorded: expected }),
    ...(actual === undefined ? {} : { asked: actual }),
  }));
  return { interaction: best.interaction, differences };
}
