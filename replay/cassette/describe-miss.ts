import { canonicalJson } from "../../instrumentation/json/canonical.ts";
import type { JsonValue } from "../../instrumentation/json/json.ts";
import type { Miss } from "./player.ts";

/** A miss in words: what was asked, why nothing fits, the nearest recording and the fields that differ. */
export function describeMiss(miss: Miss): string {
  const { request, nearest } = miss;
  const head = `no recorded answer for ${request.kind} call ${request.name} at ${request.path}: ${REASONS[miss.reason]}`;
  if (nearest === null) return `${head}; nothing was recorded`;
  const at = `nearest recording #${nearest.index} ${nearest.name} at ${nearest.path}`;
  if (miss.differences.length === 0) return `${head}; ${at}, with equal arguments`;
  const fields = miss.differences
    .slice(0, SHOWN)
    .map((it) => `${it.pointer} recorded ${side(it.recorded)}, asked ${side(it.asked)}`);
  const more = miss.differences.length > SHOWN ? `; and ${miss.differences.length - SHOWN} more` : "";
  return `${head}; ${at}; differs in ${fields.join("; ")}${more}`;
}

const REASONS: Record<Miss["reason"], string> = {
  unrecorded: "no such call was recorded",
  used_up: "such calls were recorded, and all of them are used or belong to another place",
  ambiguous: "recordings of several other steps fit and answer differently",
};

const SHOWN = 5;
const MAX_LENGTH = 120;

function side(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  const text = canonicalJson(value);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
