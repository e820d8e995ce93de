import { hash } from "node:crypto";
import type { JsonValue } from "./json.ts";

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 order, no white space, ECMAScript numbers. Equal values give equal text,
 * whatever order their keys were written in; match keys and hashes are made from it.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) text += `${text === "" ? "" : ","}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  const members = value as Record<string, JsonValue>;
  for (const key of Object.keys(members).sort()) {
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(members[key] as JsonValue)}`;
  }
  return `{${text}}`;
}

/** SHA-256 in lower-case hex, of text (as UTF-8) or bytes. */
export const sha256Hex = (data: string | Uint8Array): string => hash("sha256", data, "hex");

/** SHA-256 of the canonical form: the identity of a contract, an input or a match key. */
export const hashJson = (value: JsonValue): string => sha256Hex(canonicalJson(value));
