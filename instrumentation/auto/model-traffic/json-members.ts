import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../json/json.ts";

/** Own members of what anybody may have sent; anything but an object has none. */
export function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

export const text = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

export const number = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** Arguments that a model wrote as JSON text; the text itself where it did not get it right. */
export function writtenJson(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "string") return value;
  return value.trim() === "" ? {} : (parseJson(value) ?? value);
}

/** A list of texts as JSON text, for an attribute. */
export function textList(value: JsonValue | undefined): string | undefined {
  const list = typeof value === "string" ? [value] : value;
  return Array.isArray(list) && list.length > 0 ? JSON.stringify(list) : undefined;
}
