import { type JsonObject, type JsonValue, parseJson } from "../../instrumentation/json/json.ts";

/** The step of a pointer that leads from a text into the JSON it holds. No text has members, so it cannot be mistaken. */
export const JSON_IN_TEXT = "(json)";

/** Numbers of more digits would come back as other numbers. */
const LONG_NUMBER = /\d{16}/;

/** The object or list that a text holds; `undefined` for every other text. */
export function jsonInText(text: string): JsonObject | readonly JsonValue[] | undefined {
  if (!/^\s*[[{]/.test(text) || LONG_NUMBER.test(text)) return undefined;
  const value = parseJson(text);
  return typeof value === "object" && value !== null ? value : undefined;
}
