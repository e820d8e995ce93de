import { createHash } from "node:crypto";
import type { JsonValue } from "./json.ts";

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 order, no white space, ECMAScript numbers. Equal values give equal text,
 * whatever order their keys were written in; match keys and hashes are made from it.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value as Record<string, JsonValue>)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/** SHA-256 in lower-case hex, of text (as UTF-8) or bytes. */
export const sha256Hex = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** SHA-256 of the canonical form: the identity of a contract, an input or a match key. */
export const hashJson = (value: JsonValue): string => sha256Hex(canonicalJson(value));
