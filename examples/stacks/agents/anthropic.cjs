const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["@anthropic-ai/sdk"];

exports.run = async ({ "@anthropic-ai/sdk": sdk }) => {
  const client = new (sdk.Anthropic ?? sdk.default)({ baseURL: url(), apiKey: "test-key" });
  const base = { model: "m-1", max_tokens: 100, tools: [{ name: "weather", input_schema: parameters }] };
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 4; turn++) {
    const { content, stop_reason } = await client.messages.stream({ ...base, messages }).finalMessage();
    messages.push({ role: "assistant", content });
    if (stop_reason !== "tool_use") break;
    const results = content
      .filter(({ type }) => type === "tool_use")
      .map(({ id, input }) => ({ type: "tool_result", tool_use_id: id, content: weather(input) }));
    messages.push({ role: "user", content: results });
  }
  const first = messages.slice(0, 1);
  const ask = (model, options) => client.messages.create({ ...base, model, messages: first, stream: true }, options);
  await endEarly(await ask("slow"));
  await abort((signal) => ask("slow", { signal }));
  await failing(() => ask("broken"));
};
