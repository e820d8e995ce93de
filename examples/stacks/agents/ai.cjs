const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["ai", "@ai-sdk/openai"];

exports.run = async ({ ai, "@ai-sdk/openai": provider }) => {
  const openai = provider.createOpenAI({ baseURL: `${url()}/v1`, apiKey: "test-key" });
  const tools = {
    weather: ai.tool({ inputSchema: ai.jsonSchema(parameters), execute: async (input) => weather(input) }),
  };
  const quiet = () => {};
  const stop = ai.stepCountIs ?? ai.isStepCount;
  const result = ai.streamText({
    model: openai.chat("m-1"),
    prompt: question,
    tools,
    stopWhen: stop(4),
    onError: quiet,
  });
  for await (const part of result.textStream) if (part === "") break;
  const ask = (abortSignal) =>
    ai.streamText({ model: openai.chat("slow"), prompt: question, abortSignal, onError: quiet }).textStream;
  await endEarly(ask());
  await abort((signal) => ask(signal));
  await failing(() => ai.generateText({ model: openai.chat("broken"), prompt: question }));
};
