const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["openai"];

exports.run = async ({ openai }) => {
  const client = new openai.OpenAI({ baseURL: `${url()}/v1`, apiKey: "test-key" });
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 4; turn++) {
    const message = await streamed(client, { model: "m-1", messages, tools, stream: true });
    messages.push(message);
    if (message.tool_calls.length === 0) break;
    for (const { id, function: asked } of message.tool_calls) {
      messages.push({ role: "tool", tool_call_id: id, content: weather(JSON.parse(asked.arguments)) });
    }
  }
  // Whole this time, from where the results of the tools were in.
  await client.chat.completions.create({ model: "m-1", messages: messages.slice(0, -1), tools });
  const ask = (model, options) =>
    client.chat.completions.create({ model, messages: messages.slice(0, 1), stream: true }, options);
  await endEarly(await ask("slow"));
  await abort((signal) => ask("slow", { signal }));
  await failing(() => ask("broken"));
};

async function streamed(client, request) {
  const message = { role: "assistant", content: "", tool_calls: [] };
  for await (const { choices } of await client.chat.completions.create(request)) {
    const delta = choices[0]?.delta ?? {};
    message.content += delta.content ?? "";
    for (const { index, id, function: asked } of delta.tool_calls ?? []) {
      const call = (message.tool_calls[index] ??= {
        id,
        type: "function",
        function: { name: asked.name, arguments: "" },
      });
      call.function.arguments += asked.arguments ?? "";
    }
  }
  return message.tool_calls.length > 0 ? message : { role: "assistant", content: message.content, tool_calls: [] };
}
