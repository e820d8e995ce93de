import type { NormalisedRun } from "../normalise-run.ts";

/** What two producers must agree on when they watched the same run: tool calls, messages, answer. Never ids of spans or times. */
export const essenceOf = ({ steps, answer, input }: NormalisedRun) => ({
  input,
  answer,
  toolCalls: steps
    .filter(({ kind }) => kind === "tool")
    .map(({ name, callId, isCallIdSynthetic, arguments: args, result, errorClass }) => ({
      name,
      callId,
      isCallIdSynthetic,
      arguments: args,
      result,
      errorClass,
    }))
    .toSorted((a, b) => (a.callId < b.callId ? -1 : 1)),
  modelCalls: steps
    .filter(({ kind }) => kind === "model")
    .map(({ requestModel, systemInstructions, inputMessages, outputMessages, finishReasons }) => ({
      requestModel,
      systemInstructions,
      inputMessages,
      outputMessages,
      finishReasons,
    })),
});
