import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPlanner, QUESTION } from "../../instrumentation/auto/testing/planner.ts";
import { startProvider, type ProviderServer } from "../../instrumentation/auto/testing/provider-server.ts";
import { attributeOf, createAgentBench, type AgentBench } from "./testing/registered-agent.ts";

/** The agent stacks under `--import runproof/register`, with nothing of ours in the agent's code. */

let provider: ProviderServer;
let bench: AgentBench;
beforeEach(async () => {
  const planner = createPlanner();
  provider = await startProvider((question) => planner.think(question));
  bench = await createAgentBench();
});
afterEach(async () => {
  await bench.remove();
  await provider.close();
});

/** The same program as an ES module and as CommonJS. */
type Load = (names: string, from: string) => string;
const esm: Load = (names, from) => `import { ${names} } from "${from}";\n`;
const cjs: Load = (names, from) => `const { ${names.replaceAll(" as ", ": ")} } = require("${from}");\n`;

const TOOLS = `const lookup = async ({ city }) => ({ celsius: city === "Oslo" ? 7 : 24 });
  const book = async () => { throw new Error("sold out"); };
  const schema = z.object({ city: z.string() });\n`;

const STACKS = {
  "ai-sdk": (load: Load) => `${load("generateText, tool, stepCountIs", "ai")}
    ${load("createOpenAI", "@ai-sdk/openai")}${load("z", "zod")}${TOOLS}
    async function main() {
      const model = createOpenAI({ baseURL: "${provider.baseUrl}", apiKey: "none" }).chat("m-1");
      const tools = { lookup: tool({ inputSchema: schema, execute: lookup }), book: tool({ inputSchema: schema, execute: book }) };
      return (await generateText({ model, tools, prompt: "${QUESTION}", stopWhen: stepCountIs(5) })).text;
    }\n`,
  "openai-agents": (load: Load) => `
    ${load("Agent, run, tool, setDefaultOpenAIClient, setTracingDisabled", "@openai/agents")}
    ${load("OpenAI", "openai")}${load("z", "zod")}${TOOLS}
    async function main() {
      setTracingDisabled(true);
      setDefaultOpenAIClient(new OpenAI({ baseURL: "${provider.baseUrl}", apiKey: "none" }));
      const make = (name, execute) => tool({ name, description: name, parameters: schema, execute });
      const agent = new Agent({ name: "planner", model: "m-1", tools: [make("lookup", lookup), make("book", book)] });
      return (await run(agent, "${QUESTION}")).finalOutput;
    }\n`,
  langgraph: (load: Load) => `${load("tool", "@langchain/core/tools")}${load("ChatOpenAI", "@langchain/openai")}
    ${load("createReactAgent", "@langchain/langgraph/prebuilt")}${load("z", "zod")}${TOOLS}
    async function main() {
      const make = (name, execute) => tool(execute, { name, description: name, schema });
      const llm = new ChatOpenAI({ model: "m-1", apiKey: "none", configuration: { baseURL: "${provider.baseUrl}" } });
      const agent = createReactAgent({ llm, tools: [make("lookup", lookup), make("book", book)], name: "planner" });
      return (await agent.invoke({ messages: [{ role: "user", content: "${QUESTION}" }] })).messages.at(-1).content;
    }\n`,
};

const END = "main().then((text) => console.log(text));";

const DOORS = [
  ["ESM", "agent.mjs", esm],
  ["CommonJS", "agent.cjs", cjs],
] as const;

// The stacks take seconds to load: each door once, of which one leads to files inside of packages.
const SHORT = new Set(["ai-sdk CommonJS", "langgraph ESM"]);
const isLong = process.env["RUNPROOF_LONG_TESTS"] === "1";
const CASES = Object.entries(STACKS)
  .flatMap(([stack, program]) =>
    DOORS.map(([door, file, load]) => [`${stack} ${door}`, file, () => program(load)] as const),
  )
  .filter(([name]) => isLong || SHORT.has(name));

describe("an agent's stack", () => {
  it.each(CASES)("is one run with its tools: %s", async (_name, file, program) => {
    await bench.write(file, program() + END);
    const ended = await bench.run(file);
    expect(ended).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Rome is warmer") });
    const { spans } = bench.collector;
    const ofKind = (kind: string) => spans.filter((span) => attributeOf(span, "runproof.call.kind") === kind);
    expect(spans.filter((span) => attributeOf(span, "runproof.event") === "run")).toHaveLength(1);
    expect(
      ofKind("tool")
        .map((span) => String(attributeOf(span, "gen_ai.tool.call.id")))
        .toSorted(),
    ).toEqual(["c1", "c2", "c3"]);
    expect(ofKind("http")).toHaveLength(3);
  });
});
