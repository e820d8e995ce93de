/** An agent that knows nothing of runproof but its attributes: plain Node, plain HTTP, OTLP/JSON by hand. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

const env = process.env;
const input = JSON.parse(await text(process.stdin));

/** Through the proxy, as clients that honour HTTP_PROXY do. */
function get(url) {
  const { hostname, port } = new URL(env.HTTP_PROXY);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path: url, headers: { host: new URL(url).host, "user-agent": "foreign" } }, (answer) => {
      const { statusCode: status, headers } = answer;
      void text(answer).then((body) => resolve({ status, cookies: headers["set-cookie"], body }), reject);
    })
      .on("error", reject)
      .end();
  });
}

async function complete(content) {
  const answer = await fetch(`${env.OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${env.OPENAI_API_KEY}` },
    body: JSON.stringify({ messages: [{ role: "user", content }], model: "m-1", stream: true }),
  });
  if (!answer.ok) return { said: await answer.text(), chunks: [answer.status] };
  const chunks = [];
  let cut = false;
  try {
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
  } catch {
    cut = true;
  }
  return { said: Buffer.concat(chunks).toString(), chunks: chunks.map((chunk) => chunk.length), cut };
}

async function tell(answer, attributes = {}) {
  const evidence = {
    ...{ version: 1, claim: null, error: null, artifacts: [], paths: [], changedPaths: null, state: null },
    ...{ verification: null, answer, toolCallCount: 0, stepCount: 0, gaps: [] },
  };
  const all = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "foreign",
    "runproof.event": "run",
    "runproof.run.id": "0199d1a0-0000-7000-8000-00000000f0f0",
    "runproof.evidence": JSON.stringify(evidence),
    ...attributes,
  };
  const span = {
    ...{
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      name: "invoke_agent foreign",
      kind: 1,
    },
    startTimeUnixNano: "1760000000000000000",
    endTimeUnixNano: "1760000001000000000",
    attributes: Object.entries(all).map(([key, value]) => ({ key, value: { stringValue: String(value) } })),
  };
  const body = {
    resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: "foreign" }, spans: [span] }] }],
  };
  const sent = await fetch(`${env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!sent.ok) throw new Error(`the receiver said ${sent.status}`);
}

switch (input.act) {
  case "ask": {
    const weather = await get("http://weather.example/today?city=otterville");
    const again = await get("http://weather.example/today?city=otterville");
    const { said, chunks, cut } = await complete(`it is ${JSON.parse(weather.body).degrees} degrees`);
    const tool = await fetch(env.RUNPROOF_CALLS_URL, {
      method: "POST",
      body: '{"name":"search","arguments":{"q":"otters"}}',
    });
    const seen = { cookies: weather.cookies, again: again.body, chunks, cut, tool: await tool.text() };
    await tell(`the model said ${said}`, { seen: JSON.stringify(seen) });
    break;
  }
  case "unrecorded": {
    const { status, body } = await get(`http://weather.example/today?city=${input.city}`);
    await tell("degrees", { seen: `${status} ${body}` });
    break;
  }
  case "tunnel": {
    const { hostname, port } = new URL(env.HTTPS_PROXY);
    const socket = connect(Number(port), hostname, () => socket.write("CONNECT bank.example:443 HTTP/1.1\r\n\r\n"));
    await tell("degrees", { seen: await text(socket) });
    break;
  }
  case "environment": {
    const files = {
      input: readFileSync(env.RUNPROOF_INPUT_FILE, "utf8"),
      state: readFileSync(env.RUNPROOF_STATE_FILE, "utf8"),
    };
    await tell("degrees", { seen: JSON.stringify({ files, cwd: process.cwd(), env }) });
    break;
  }
  case "exit":
    process.stderr.write("it went wrong");
    process.exit(3);
  case "hang":
    writeFileSync(input.path, String(spawn("sleep", ["300"], { stdio: "ignore" }).pid));
    setInterval(() => {}, 1_000);
}
