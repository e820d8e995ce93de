import { isJsonObject, parseJson, type JsonObject } from "../../json/json.ts";

const DATA_LINE = /^data:[ \t]?(?=\{)/;

/**
 * JSON objects of server-sent events, in order. What is cut off, or is no JSON (`[DONE]`), is left out; an event of
 * several `data` lines is none that a model's API sends.
 */
export function streamEvents(text: string): JsonObject[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const lead = DATA_LINE.exec(line)?.[0];
    const event = lead === undefined ? undefined : parseJson(line.slice(lead.length));
    return isJsonObject(event) ? [event] : [];
  });
}
