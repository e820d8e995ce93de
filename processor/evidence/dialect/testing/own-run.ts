import { configure, defineContract, instrumentHttp, withRun, wrapTool } from "../../../../instrumentation/index.ts";
import { runtime } from "../../../../instrumentation/runtime.ts";
import { SCENARIO } from "./capture/scenario.ts";
import { startScenarioServer } from "./capture/scenario-server.ts";
import { decodeBodies, type DecodedBodies } from "./capture/stored-bodies.ts";

/** The scenario as a hand-written loop that runproof records: HTTP exchanges, and tools as calls of their own. */
export async function recordOwnRun(isStreamed: boolean): Promise<DecodedBodies> {
  const server = await startScenarioServer();
  configure({
    redactionKey: "k",
    endpoint: `${server.url}/v1/traces`,
    stateDirectory: null,
    serviceName: "city-guide-service",
  });
  const undo = instrumentHttp();
  try {
    await withRun(
      defineContract({ agent: SCENARIO.agent }),
      () => converse(`${server.url}/v1/chat/completions`, isStreamed),
      { input: SCENARIO.question },
    );
    await runtime().channel.flush(5_000);
    return decodeBodies(server.sent);
  } finally {
    undo();
    configure({ endpoint: null, stateDirectory: null });
    await server.close();
  }
}

interface Call {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface Said {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly Call[];
  readonly tool_call_id?: string;
}

const tools = new Map(
  SCENARIO.tools.map(({ name, result }) => [name, wrapTool({ name, sideEffect: "read" }, async () => result)]),
);

/** The agent: a hand-written loop around chat completions. */
export async function converse(url: string, isStreamed: boolean): Promise<string> {
  const messages: Said[] = [
    { role: "system", content: SCENARIO.system },
    { role: "user", content: SCENARIO.question },
  ];
  for (;;) {
    const answer = await ask(url, messages, isStreamed);
    messages.push(answer);
    if (answer.tool_calls === undefined) return answer.content ?? "";
    for (const call of answer.tool_calls) {
      const tool = tools.get(call.function.name);
      const result = await tool?.(JSON.parse(call.function.arguments), { callId: call.id });
      messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(result) });
    }
  }
}

async function ask(url: string, messages: readonly Said[], isStreamed: boolean): Promise<Said> {
  const definitions = SCENARIO.tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters },
  }));
  const body = { model: SCENARIO.model, messages, tools: definitions, temperature: 0 };
  const stream = isStreamed ? { stream: true, stream_options: { include_usage: true } } : {};
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ ...body, ...stream }),
    headers: JSON_TYPE,
  });
  if (isStreamed) return readStream(await response.text());
  const { choices } = (await response.json()) as { choices: readonly { message: Said }[] };
  return choices[0]?.message ?? NOTHING;
}

const JSON_TYPE = { "content-type": "application/json" };
const NOTHING: Said = { role: "assistant", content: "" };

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly { index: number; id?: string; function: { name?: string; arguments?: string } }[];
}

function readStream(text: string): Said {
  let content = "";
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("data: {")) continue;
    const { choices } = JSON.parse(line.slice(6)) as { choices: readonly { delta: Delta }[] };
    const delta = choices[0]?.delta ?? {};
    content += delta.content ?? "";
    for (const { index, id, function: part } of delta.tool_calls ?? []) {
      const call = (calls[index] ??= { id: id ?? "", name: part.name ?? "", arguments: "" });
      call.arguments += part.arguments ?? "";
    }
  }
  if (calls.length === 0) return { role: "assistant", content };
  const asked = calls.map((call) => ({ id: call.id, function: { name: call.name, arguments: call.arguments } }));
  return { role: "assistant", content: null, tool_calls: asked.map((call) => ({ type: "function", ...call })) };
}
