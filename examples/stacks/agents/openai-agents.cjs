const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["@openai/agents", "openai"];

exports.run = async ({ "@openai/agents": sdk, openai }) => {
  sdk.setTracingDisabled(true);
  sdk.setDefaultOpenAIClient(new openai.OpenAI({ baseURL: `${url()}/v1`, apiKey: "test-key" }));
  const tool = sdk.tool({
    name: "weather",
    description: "The weather",
    parameters,
    strict: true,
    execute: async (input) => weather(input),
  });
  const agent = (model) => new sdk.Agent({ name: "forecaster", instructions: "Be brief.", model, tools: [tool] });
  const answer = await sdk.run(agent("m-1"), question, { stream: true });
  for await (const event of answer) if (!event) break;
  await answer.completed;
  const ask = (signal) => sdk.run(agent("slow"), question, { stream: true, ...(signal ? { signal } : {}) });
  await endEarly(await ask());
  await abort((signal) => ask(signal));
  await failing(() => sdk.run(agent("broken"), question));
};
