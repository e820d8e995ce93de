import * as semconv from "../../semconv.ts";
import { member, number, objects, text } from "./json-members.ts";
import type { ModelApi } from "./model-exchange.ts";
import { textOf, textPart } from "./model-message.ts";
import { errorCodeOf } from "./openai-chat.ts";

/** OpenAI's embeddings. The vectors themselves stay in the recorded answer. */
export const openaiEmbeddings: ModelApi = {
  operation: semconv.OPERATION_EMBEDDINGS,
  provider: "openai",
  path: /\/embeddings$/,
  accepts: ({ input }) => typeof input === "string" || Array.isArray(input),
  request: (body) => ({
    model: textOf(body["model"]),
    isStreamed: false,
    parameters: { [semconv.ATTR_EMBEDDINGS_DIMENSIONS]: number(body["dimensions"]) },
  }),
  input: ({ input }) => {
    const texts = (Array.isArray(input) ? input : [input]).flatMap((it) => text(it) ?? []);
    return { messages: texts.length === 0 ? [] : [{ role: "user", parts: texts.map(textPart) }] };
  },
  assemble: (events) => events.at(-1) ?? {},
  answer: (body) => ({
    model: text(body["model"]),
    messages: [],
    finishReasons: [],
    usage: { input: number(member(body["usage"], "prompt_tokens")) },
    errorCode: objects(body["data"]).length > 0 ? undefined : errorCodeOf(body["error"]),
  }),
};
