// No library for models at all: fetch, undici and node:http, each with another API and a retry of its own.
const http = require("node:http");
const { abort, endEarly, failing, parameters, question, url, weather } = require("./scene.cjs");

exports.packages = ["undici"];

exports.run = async ({ undici }) => {
  await chat(fetchJson);
  await chat((path, body) => undiciJson(undici, path, body));
  await responses(httpJson);
  const slow = { model: "slow", stream: true, messages: [{ role: "user", content: question }] };
  const open = async (signal) => (await fetch(`${url()}/v1/chat/completions`, post(slow, signal))).body;
  await endEarly(await open());
  await abort(open);
  await failing(() => fetchJson("/v1/chat/completions", { ...slow, model: "broken" }));
};

const headers = { "content-type": "application/json" };
const post = (body, signal) => ({ method: "POST", headers, body: JSON.stringify(body), signal: signal ?? null });

async function tried(ask) {
  for (let attempt = 0; ; attempt++) {
    const { status, text } = await ask();
    if (status === 200) return JSON.parse(text);
    if (status !== 429 || attempt > 2) throw new Error(`status ${status}`);
  }
}

const fetchJson = (path, body) =>
  tried(async () => {
    const response = await fetch(url() + path, post(body));
    return { status: response.status, text: await response.text() };
  });

const undiciJson = (undici, path, body) =>
  tried(async () => {
    const answer = await undici.request(url() + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.statusCode, text: await answer.body.text() };
  });

const httpJson = (path, body) =>
  tried(
    () =>
      new Promise((resolve, reject) => {
        const request = http.request(url() + path, { method: "POST", headers }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part) => (text += part));
          response.on("end", () => resolve({ status: response.statusCode, text })).on("error", reject);
        });
        request.on("error", reject).end(JSON.stringify(body));
      }),
  );

async function chat(ask) {
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const messages = [{ role: "user", content: question }];
  for (let turn = 0; turn < 4; turn++) {
    const { choices } = await ask("/v1/chat/completions", { model: "m-1", messages, tools });
    const { message } = choices[0];
    messages.push(message);
    if (message.tool_calls === undefined) return;
    for (const { id, function: asked } of message.tool_calls) {
      messages.push({ role: "tool", tool_call_id: id, content: weather(JSON.parse(asked.arguments)) });
    }
  }
}

async function responses(ask) {
  const tools = [{ type: "function", name: "weather", parameters }];
  const input = [{ role: "user", content: question }];
  for (let turn = 0; turn < 4; turn++) {
    const { output } = await ask("/v1/responses", { model: "m-1", input, tools });
    input.push(...output);
    const calls = output.filter(({ type }) => type === "function_call");
    if (calls.length === 0) return;
    for (const { call_id, arguments: given } of calls) {
      input.push({ type: "function_call_output", call_id, output: weather(JSON.parse(given)) });
    }
  }
}
