const { abort, endEarly, failing, question, url, weather } = require("./scene.cjs");

exports.packages = ["@mastra/core/agent", "@mastra/core/tools", "@ai-sdk/openai", "zod"];

exports.run = async ({
  "@mastra/core/agent": { Agent },
  "@mastra/core/tools": { createTool },
  "@ai-sdk/openai": provider,
  zod: { z },
}) => {
  const openai = provider.createOpenAI({ baseURL: `${url()}/v1`, apiKey: "test-key" });
  const tool = createTool({
    id: "weather",
    description: "The weather",
    inputSchema: z.object({ city: z.string() }),
    execute: async (input) => weather(input.context ?? input),
  });
  const agent = (name, tools = {}) =>
    new Agent({ id: "stack", name: "stack", instructions: "Help.", model: openai.chat(name), tools, maxRetries: 2 });
  const answer = await agent("m-1", { weather: tool }).stream(question);
  for await (const part of answer.textStream) if (part === "") break;
  await endEarly((await agent("slow").stream(question)).textStream);
  await abort(async (abortSignal) => (await agent("slow").stream(question, { abortSignal })).textStream);
  await failing(() => agent("broken").generate(question));
};
