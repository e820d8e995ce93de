import type { ExpectedSideEffect } from "../../instrumentation/contract/contract.ts";
import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";

/**
 * Calls without the repetitions of an effect, where the contract counts by reference: the other side answered a request
 * that came again with the reference of the first, so it did nothing twice. Calls with other arguments are never one
 * effect, whatever reference they were given.
 */
export function distinctEffects(
  expected: readonly ExpectedSideEffect[],
  calls: readonly ToolCallEvidence[],
): ToolCallEvidence[] {
  const byReference = new Set(expected.filter((one) => one.countBy === "reference").map((one) => one.tool));
  const seen = new Set<string>();
  return calls.toSorted(bySpan).filter((call) => {
    const key = byReference.has(call.name) ? effectKey(call) : undefined;
    if (key === undefined) return true;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

const bySpan = (a: ToolCallEvidence, b: ToolCallEvidence): number => (a.spanId < b.spanId ? -1 : 1);

function effectKey({ name, arguments: given, argumentsSha256, reference }: ToolCallEvidence): string | undefined {
  if (reference === null || reference === "") return undefined;
  const told = given === undefined ? argumentsSha256 : hashJson(given);
  return told === null ? undefined : `${name}\n${told}\n${reference}`;
}
