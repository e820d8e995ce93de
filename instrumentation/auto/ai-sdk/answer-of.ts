import { canonicalJson } from "../../json/canonical.ts";
import { toJson } from "../../json/json.ts";
import { memberOf, textOf } from "../operation/index.ts";

/** What a finished operation told its user: its text, or the object it made. */
export function answerOf(result: unknown): string | undefined {
  const text = textOf(memberOf(result, "text"));
  if (text !== undefined) return text;
  const object = memberOf(result, "object");
  const json = object === undefined ? undefined : toJson(object);
  return json === undefined ? undefined : canonicalJson(json);
}
