import { isJsonObject, type JsonObject } from "../../instrumentation/json/json.ts";
import type { ToolAnswer } from "./answer/envelope.ts";
import { isFailedCall } from "./answer/outcome.ts";
import type { VerbRun } from "./run-verb.ts";

/**
 * The usual answer: the verb's own document, or what a tool made of it, and what the verb wrote for people. Where nothing
 * could be read nothing is told: an empty list would look like good news.
 */
export function verbAnswer(run: VerbRun, more: Partial<ToolAnswer> = {}): ToolAnswer {
  const { data: made = recordOf(run.document), ...rest } = more;
  const data = run.document === undefined && isFailedCall(run.outcome) ? {} : made;
  const problems = run.problems.length === 0 ? {} : { problems: run.problems };
  return { outcome: run.outcome, data: { ...data, ...problems }, ...rest };
}

/** A document's fields; none where it is no object. */
export const recordOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

/** A document's items; none where it is no list. */
export const recordsOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.map(recordOf) : []);

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
