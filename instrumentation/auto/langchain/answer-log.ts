import { canonicalJson } from "../../json/canonical.ts";
import { toJson } from "../../json/json.ts";
import { failOpen } from "../../fail-open.ts";
import { isPatchable, memberOf, textOf } from "../operation/index.ts";

/** Finds the answer in what a graph or a chain gives back, piece by piece or at once. */
export interface AnswerLog {
  saw(output: unknown): void;
  answer(): string | undefined;
}

/** More than anybody is told. */
const MAX_ANSWER = 1_000_000;

/** The last text that a model wrote; of a chain that gives text, all of it; else the last output as JSON. */
export function createAnswerLog(): AnswerLog {
  let text = "";
  let messageId: unknown;
  let last: unknown;
  const saw = (output: unknown): void => {
    if (typeof output === "string") return void (text = (text + output).slice(0, MAX_ANSWER));
    const piece = streamedMessage(output);
    const message = piece ?? lastMessage(output);
    if (message === undefined) return void (last = output);
    const id = memberOf(message, "id");
    const said = contentText(message);
    text = piece !== undefined && id === messageId ? (text + said).slice(0, MAX_ANSWER) : said;
    messageId = id;
  };
  return {
    saw: (output) => failOpen("reading an answer", () => saw(output), undefined),
    answer: () => textOf(text) ?? failOpen("reading an answer", () => jsonText(last), undefined),
  };
}

function jsonText(value: unknown): string | undefined {
  const json = value === undefined ? undefined : toJson(value);
  return json === undefined ? undefined : canonicalJson(json).slice(0, MAX_ANSWER);
}

/** A piece of a model's message, alone or with what a graph says about it (`streamMode: "messages"`). */
function streamedMessage(output: unknown): unknown {
  const list: readonly unknown[] = Array.isArray(output) ? output : [output];
  return list.find((one) => isAnswer(one) && typeof memberOf(one, "concat") === "function");
}

/** State, update by a node, or either with its mode and namespace before it. */
const MAX_DEPTH = 3;

function lastMessage(output: unknown, depth = 0): unknown {
  if (isAnswer(output)) return output;
  if (depth > MAX_DEPTH || !isPatchable(output)) return undefined;
  const messages = output["messages"];
  if (Array.isArray(messages)) return (messages as unknown[]).findLast(isAnswer);
  if (isPatchable(messages)) return lastMessage(messages, depth + 1);
  for (const value of Object.values(output).toReversed()) {
    const found = lastMessage(value, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A message that a model wrote to its user: not one that only asks for tools. */
function isAnswer(value: unknown): boolean {
  if (!isPatchable(value) || Array.isArray(value)) return false;
  const typeOf = value["getType"] ?? value["_getType"];
  if (typeof typeOf !== "function" || typeOf.call(value) !== "ai") return false;
  return contentText(value) !== "";
}

function contentText(message: unknown): string {
  const content = memberOf(message, "content");
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as unknown[]).map((part) => textOf(memberOf(part, "text")) ?? "").join("");
}
