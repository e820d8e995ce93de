import { isJsonObject, type JsonObject, type JsonValue } from "../../json/json.ts";
import { isPatchable } from "../operation/index.ts";

type Constructor = new (fields: JsonObject) => unknown;

// Tools are of one package and commands of another: the second tells the first what it needs.
const SLOT = Symbol.for("runproof.langgraph-command");
const slots = globalThis as unknown as Record<symbol, Constructor | undefined>;

/** Makes the `Command` of a loaded LangGraph known. */
export function knowCommand(command: unknown): void {
  if (typeof command === "function") slots[SLOT] = command as Constructor;
}

/**
 * What a tool returns that speaks for itself instead of giving a text: a message, or a command to a graph. Such are
 * classes, of which the recording holds the JSON form. `formatted` is what the library made of that form, taking it for
 * an ordinary result.
 */
export function revived(answer: JsonValue, formatted: unknown): unknown {
  if (!isJsonObject(answer)) return formatted;
  const Command = slots[SLOT];
  if (answer["lg_name"] === "Command" && Command !== undefined) return new Command(answer);
  const message = messageFields(answer);
  if (message === undefined || !isPatchable(formatted)) return formatted;
  const ToolMessage = formatted.constructor as unknown as Constructor;
  return ToolMessage.name === "ToolMessage" ? new ToolMessage(message) : formatted;
}

/** Of a message in LangChain's own JSON form. */
function messageFields({ lc, id, kwargs }: JsonObject): JsonObject | undefined {
  const isMessage = lc === 1 && Array.isArray(id) && id.at(-1) === "ToolMessage";
  return isMessage && isJsonObject(kwargs) ? kwargs : undefined;
}
