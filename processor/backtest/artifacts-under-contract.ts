import type { ArtifactRequirement } from "../../instrumentation/contract/contract.ts";
import type { ArtifactObservation } from "../../instrumentation/contract/evidence.ts";
import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Reading } from "./evidence-under-contract.ts";

/**
 * Artifacts as the contract would have had them looked at: one that it places somewhere nobody looked is unchecked, and so is
 * a schema that was not the run's. An artifact without a place is the run's own to record, so its absence is a fact. Pure.
 */
export function artifactsUnder(reading: Reading): Reading {
  let { artifacts } = reading.closing;
  const unobserved = [...reading.unobserved];
  for (const [index, required] of reading.contract.artifacts.entries()) {
    const asked = reading.recorded?.artifacts.find(({ name }) => name === required.name);
    const read = placedArtifacts(required, asked, artifacts) ?? withoutForeignSchema(required, asked, artifacts);
    if (read === undefined) continue;
    unobserved.push(`/artifacts/${index}`);
    artifacts = read;
  }
  return { ...reading, closing: { ...reading.closing, artifacts }, unobserved };
}

/** `undefined` when somebody looked where the contract places it. */
function placedArtifacts(
  { name, kind, path }: ArtifactRequirement,
  asked: ArtifactRequirement | undefined,
  seen: readonly ArtifactObservation[],
): readonly ArtifactObservation[] | undefined {
  if (path === undefined || (asked?.path === path && asked.kind === kind)) return undefined;
  const own = seen.filter((one) => one.name === name);
  if (own.some(({ ref }) => ref === path)) return undefined;
  const unchecked = { state: "unchecked", bytes: null, sha256: null, schemaErrors: null } as const;
  const detail = "the contract the run had did not place it there";
  // What only the run's own contract looked at says nothing about this one.
  const kept = seen.filter((one) => one.name !== name || one.ref !== asked?.path);
  return [...kept, { name, kind, ref: path, detail, ...unchecked }];
}

/** Problems that were found, or not found, against another schema do not count. `undefined` when there are none such. */
function withoutForeignSchema(
  { name, schema }: ArtifactRequirement,
  asked: ArtifactRequirement | undefined,
  seen: readonly ArtifactObservation[],
): readonly ArtifactObservation[] | undefined {
  if (schema === undefined || (asked?.schema !== undefined && text(asked.schema) === text(schema))) return undefined;
  const isForeign = (one: ArtifactObservation): boolean => one.name === name && one.state === "present";
  if (!seen.some(isForeign)) return undefined;
  return seen.map((one) => (isForeign(one) ? { ...one, schemaErrors: null } : one));
}

const text = (schema: NonNullable<ArtifactRequirement["schema"]>): string => canonicalJson(schema as JsonValue);
