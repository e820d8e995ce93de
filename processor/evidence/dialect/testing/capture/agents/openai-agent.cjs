// A hand-written loop around openai, instrumented by the package named in EMITTER.
const { metrics } = require("@opentelemetry/api");
const { flush, provider, withRoot } = require("./telemetry.cjs");
const scenario = require("./scenario.json");

const emitters = {
  "@arizeai/openinference-instrumentation-openai": (it) => new it.OpenAIInstrumentation(),
  "@traceloop/instrumentation-openai": (it) => new it.OpenAIInstrumentation(),
  "@opentelemetry/instrumentation-openai": (it) => new it.OpenAIInstrumentation({ captureMessageContent: true }),
};
const instrumentation = emitters[process.env.EMITTER](require(process.env.EMITTER));
instrumentation.setTracerProvider(provider);
instrumentation.setMeterProvider(metrics.getMeterProvider());
instrumentation.enable();
const OpenAI = require("openai").default;

const client = new OpenAI({ baseURL: `${process.env.MODEL_URL}/v1`, apiKey: "key", maxRetries: 0 });
const tools = scenario.tools.map(({ name, description, parameters }) => ({
  type: "function",
  function: { name, description, parameters },
}));

async function ask(messages) {
  const request = { model: scenario.model, messages, tools, temperature: 0 };
  if (process.env.STREAM !== "1") return (await client.chat.completions.create(request)).choices[0].message;
  const message = { role: "assistant", content: "", tool_calls: [] };
  for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
    const delta = choices[0].delta;
    message.content += delta.content ?? "";
    for (const { index, ...call } of delta.tool_calls ?? []) {
      message.tool_calls[index] ??= { ...call, function: { ...call.function, arguments: "" } };
      message.tool_calls[index].function.arguments += call.function.arguments ?? "";
    }
  }
  return message.tool_calls.length > 0 ? message : { role: "assistant", content: message.content };
}

void withRoot(async () => {
  const messages = [
    { role: "system", content: scenario.system },
    { role: "user", content: scenario.question },
  ];
  for (;;) {
    const message = await ask(messages);
    messages.push(message);
    if (!message.tool_calls?.length) return;
    for (const call of message.tool_calls) {
      const tool = scenario.tools.find(({ name }) => name === call.function.name);
      messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(tool.result) });
    }
  }
}).then(flush);
