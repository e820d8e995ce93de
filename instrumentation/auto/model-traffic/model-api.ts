import { isJsonObject, type JsonObject, type JsonValue } from "../../json/json.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import type { ModelApi } from "./model-exchange.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiEmbeddings } from "./openai-embeddings.ts";
import { openaiResponses } from "./openai-responses.ts";

const APIS: readonly ModelApi[] = [openaiChat, openaiResponses, openaiEmbeddings, anthropicMessages];

/** A request that calls a model, and the API whose form it has. */
export interface ModelCall {
  readonly api: ModelApi;
  readonly body: JsonObject;
}

/**
 * The model's API that a request speaks, told by its path and the form of its body and not by its host: providers are
 * reached through gateways, proxies and local servers. `body` as it is recorded: `{json}` where it was JSON.
 */
export function modelCallOf(method: string, url: URL, body: JsonValue | undefined): ModelCall | undefined {
  if (method !== "POST" || !isJsonObject(body)) return undefined;
  const json = body["json"];
  if (!isJsonObject(json)) return undefined;
  const api = APIS.find(({ path, accepts }) => path.test(url.pathname) && accepts(json));
  return api === undefined ? undefined : { api, body: json };
}
