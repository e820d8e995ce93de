const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["@langchain/openai", "@langchain/core/tools", "@langchain/core/messages"];

exports.run = async ({
  "@langchain/openai": openai,
  "@langchain/core/tools": tools,
  "@langchain/core/messages": core,
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
  const bound = model("m-1").bindTools([tool]);
  const messages = [new core.HumanMessage(question)];
  for (let turn = 0; turn < 4; turn++) {
    let said;
    for await (const part of await bound.stream(messages)) said = said === undefined ? part : said.concat(part);
    messages.push(new core.AIMessage({ content: said.content, tool_calls: said.tool_calls }));
    if (said.tool_calls.length === 0) break;
    for (const call of said.tool_calls) messages.push(await tool.invoke({ ...call, type: "tool_call" }));
  }
  await endEarly(await model("slow").stream(question));
  await abort((signal) => model("slow").stream(question, { signal }));
  await failing(() => model("broken").invoke(question));
};
