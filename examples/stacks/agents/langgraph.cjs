const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["@langchain/openai", "@langchain/core/tools", "@langchain/langgraph/prebuilt"];

exports.run = async ({
  "@langchain/openai": openai,
  "@langchain/core/tools": tools,
  "@langchain/langgraph/prebuilt": { createReactAgent },
}) => {
  const model = (name) =>
    new openai.ChatOpenAI({
      model: name,
      apiKey: "test-key",
      maxRetries: 2,
      configuration: { baseURL: `${url()}/v1` },
    });
  const tool = tools.tool(async (input) => weather(input), {
    name: "weather",
    description: "The weather",
    schema: parameters,
  });
  const agent = (name) => createReactAgent({ llm: model(name), tools: [tool] });
  const asked = { messages: [{ role: "user", content: question }] };
  for await (const update of await agent("m-1").stream(asked, { streamMode: "updates" })) if (!update) break;
  await endEarly(await agent("slow").stream(asked, { streamMode: "messages" }));
  await abort((signal) => agent("slow").stream(asked, { streamMode: "messages", signal }));
  await failing(() => agent("broken").invoke(asked));
};
