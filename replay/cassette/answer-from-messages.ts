import type { CallRequest } from "../../instrumentation/capture/call-interceptor.ts";
import { hashJson } from "../../instrumentation/json/canonical.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../instrumentation/json/json.ts";
import { conversationOfRequest } from "../../processor/evidence/dialect/index.ts";
import type { Interaction } from "./cassette.ts";
import { synthesisedAnswer, wireFormatOf } from "./providers/synthesise.ts";

export interface MessageAnswer {
  readonly recording: Interaction;
  /** The recording with an answer in the form that the request asked for. */
  readonly interaction: Interaction;
}

/** Answers requests to models from recordings that are conversations. */
export interface MessageAnswers {
  /** `undefined`: the request is none to a known provider, or no recording that may be used has its conversation. */
  answer(request: CallRequest, isFree: (recording: Interaction) => boolean): MessageAnswer | undefined;
}

/** Recordings in start order. Equal conversations are answered in that order. */
export function createMessageAnswers(recordings: readonly Interaction[]): MessageAnswers {
  const conversations = recordings.filter(({ form }) => form === "messages");
  const byKey = Map.groupBy(conversations, keyOfRecording);
  return {
    answer(request, isFree) {
      if (conversations.length === 0 || request.kind !== "http") return undefined;
      const asked = wireFormatOf(request.arguments);
      const body = jsonBodyOf(request.arguments);
      if (asked === undefined || body === undefined) return undefined;
      const { system, messages } = conversationOfRequest(body);
      const told = messages as unknown as JsonValue;
      // Where a trace does not tell the instructions, they decide nothing.
      const found = [conversationKey(system, told), conversationKey(undefined, told)].flatMap(
        (key) => byKey.get(key) ?? [],
      );
      const recording = found.find(isFree);
      if (recording?.outcome !== "returned") return undefined;
      const model = memberText(recording.arguments, "model");
      const answer = synthesisedAnswer({ model, outputMessages: recording.result }, asked.format, asked.isStreamed);
      if (answer === undefined) return undefined;
      return { recording, interaction: { ...recording, kind: "http", result: answer as unknown as JsonValue } };
    },
  };
}

const keyOfRecording = ({ arguments: args }: Interaction): string => {
  const system = memberText(args, "system_instructions");
  return conversationKey(system === "" ? undefined : system, isJsonObject(args) ? args["input_messages"] : undefined);
};

const conversationKey = (system: string | undefined, messages: JsonValue | undefined): string =>
  hashJson({ system: system ?? null, messages: messages ?? null });

function jsonBodyOf(args: JsonValue | undefined): JsonObject | undefined {
  const body = isJsonObject(args) ? args["body"] : undefined;
  const json = isJsonObject(body) ? body["json"] : undefined;
  return isJsonObject(json) ? json : undefined;
}

function memberText(value: JsonValue | undefined, name: string): string {
  const text = isJsonObject(value) ? value[name] : undefined;
  return typeof text === "string" ? text : "";
}
