import type { ExpectedSideEffect } from "../../instrumentation/contract/contract.ts";
import type { ToolCallEvidence } from "../../instrumentation/contract/evidence.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import { jsonDifferences } from "../../instrumentation/json/differences.ts";
import { cutPointers } from "../../instrumentation/json/pointer.ts";

/**
 * Where a call differs from an expected side effect, as JSON pointers into the arguments; empty when it fits. Arguments
 * that were not captured fit nothing: what cannot be compared is not proven.
 */
export function callDifferences(expected: ExpectedSideEffect, call: ToolCallEvidence): string[] {
  if (call.name !== expected.tool) return ["tool"];
  if (expected.arguments === undefined) return [];
  if (call.arguments === undefined) return hashDifferences(expected, call);
  const wanted = cutPointers(expected.arguments, expected.ignore);
  const given = cutPointers(call.arguments, expected.ignore);
  return jsonDifferences(wanted, given, expected.match).map((difference) => difference.pointer || "the whole value");
}

/** Arguments kept only as a hash can still be proven equal; where they differ, or whether a part fits, nobody can say. */
function hashDifferences(expected: ExpectedSideEffect, call: ToolCallEvidence): string[] {
  const comparable = expected.match === "exact" && expected.ignore.length === 0 && call.argumentsSha256 !== null;
  if (!comparable || expected.arguments === undefined) return ["arguments were not captured"];
  return hashJson(expected.arguments) === call.argumentsSha256 ? [] : ["the hash of the arguments"];
}

/** Whether the comparison itself was impossible, so that "differs" would be a guess. */
export const isUndecidable = (expected: ExpectedSideEffect, call: ToolCallEvidence): boolean =>
  call.name === expected.tool && callDifferences(expected, call).includes("arguments were not captured");
