import type { ArtifactObservation } from "../contract/evidence.ts";
import { parseJson, type JsonObject } from "../json/json.ts";
import { compileJsonSchema } from "./json-schema.ts";

/** What a probe is asked to look at. */
export interface ArtifactTarget {
  readonly name: string;
  readonly kind: string;
  readonly ref: string;
  /** JSON Schema that its content must satisfy. */
  readonly schema?: JsonObject | undefined;
}

/** Larger JSON documents are not parsed: their schema cannot be checked. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** An observation of something that could not be looked at in full. */
export const notPresent = (
  { name, kind, ref }: ArtifactTarget,
  state: "missing" | "unreadable" | "unchecked",
  detail: string,
): ArtifactObservation => ({ name, kind, ref, state, bytes: null, sha256: null, schemaErrors: null, detail });

/** Whether the target's content has to be JSON: its kind says so or its contract has a schema for it. */
export const expectsJson = (target: ArtifactTarget): boolean => target.kind === "json" || target.schema !== undefined;

/** Problems of JSON text against the target's schema; a text that is no JSON is one, and so is a broken schema. */
export function schemaErrorsOf(target: ArtifactTarget, text: string): readonly string[] {
  const value = parseJson(text);
  if (value === undefined) return ["content is not JSON"];
  if (target.schema === undefined) return [];
  const compiled = compileJsonSchema(target.schema);
  return "problem" in compiled ? [compiled.problem] : compiled.check(value);
}
