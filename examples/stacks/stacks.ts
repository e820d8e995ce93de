/** One stack in one version: what to install and which agent of `agents/` to run. */
export interface StackVersion {
  readonly stack: string;
  /** `oldest` or `newest` supported major; MCP has two packages of its newest. */
  readonly age: "oldest" | "newest";
  /** Name of the file in `agents/`. */
  readonly agent: string;
  readonly packages: Readonly<Record<string, string>>;
  /** How often each city's weather is asked for by tools. */
  readonly calls: number;
  /** The agent asks a model, which refuses the first request: a retry that only the HTTP layer sees. */
  readonly asksModel: boolean;
}

const model = { calls: 1, asksModel: true };

export const STACK_VERSIONS: readonly StackVersion[] = [
  { ...model, stack: "openai", age: "oldest", agent: "openai", packages: { openai: "4.95.0" } },
  { ...model, stack: "openai", age: "newest", agent: "openai", packages: { openai: "7.57.0" } },
  { ...model, stack: "anthropic", age: "oldest", agent: "anthropic", packages: { "@anthropic-ai/sdk": "0.71.2" } },
  { ...model, stack: "anthropic", age: "newest", agent: "anthropic", packages: { "@anthropic-ai/sdk": "1.12.0" } },
  {
    ...model,
    stack: "ai",
    age: "oldest",
    agent: "ai",
    packages: { ai: "5.0.277", "@ai-sdk/openai": "2.0.130", zod: "4.6.7" },
  },
  {
    ...model,
    stack: "ai",
    age: "newest",
    agent: "ai",
    packages: { ai: "7.0.173", "@ai-sdk/openai": "4.0.118", zod: "4.6.7" },
  },
  {
    ...model,
    stack: "langchain",
    age: "oldest",
    agent: "langchain",
    packages: { "@langchain/core": "0.3.72", "@langchain/openai": "0.6.7" },
  },
  {
    ...model,
    stack: "langchain",
    age: "newest",
    agent: "langchain",
    packages: { "@langchain/core": "1.4.0", "@langchain/openai": "1.6.0" },
  },
  {
    ...model,
    stack: "langgraph",
    age: "oldest",
    agent: "langgraph",
    packages: { "@langchain/langgraph": "0.4.9", "@langchain/core": "0.3.72", "@langchain/openai": "0.6.7" },
  },
  {
    ...model,
    stack: "langgraph",
    age: "newest",
    agent: "langgraph",
    packages: { "@langchain/langgraph": "1.7.3", "@langchain/core": "1.4.0", "@langchain/openai": "1.6.0" },
  },
  {
    ...model,
    stack: "openai-agents",
    age: "oldest",
    agent: "openai-agents",
    packages: { "@openai/agents": "0.8.5", openai: "6.8.0", zod: "4.6.7" },
  },
  {
    ...model,
    stack: "openai-agents",
    age: "newest",
    agent: "openai-agents",
    packages: { "@openai/agents": "0.20.0", openai: "7.57.0", zod: "4.6.7" },
  },
  {
    ...model,
    stack: "mastra",
    age: "newest",
    agent: "mastra",
    packages: { "@mastra/core": "1.71.0", "@ai-sdk/openai": "4.0.118", zod: "4.6.7" },
  },
  {
    stack: "mcp",
    age: "oldest",
    agent: "mcp",
    packages: { "@modelcontextprotocol/sdk": "1.20.2", zod: "3.25.76" },
    calls: 1,
    asksModel: false,
  },
  {
    stack: "mcp",
    age: "newest",
    agent: "mcp",
    packages: { "@modelcontextprotocol/sdk": "1.32.2", zod: "4.6.7" },
    calls: 1,
    asksModel: false,
  },
  {
    stack: "mcp-v2",
    age: "newest",
    agent: "mcp-v2",
    packages: { "@modelcontextprotocol/client": "2.4.0", "@modelcontextprotocol/server": "2.4.0", zod: "4.6.7" },
    calls: 1,
    asksModel: false,
  },
  { ...model, stack: "plain", age: "oldest", agent: "plain", packages: { undici: "6.22.0" }, calls: 3 },
  { ...model, stack: "plain", age: "newest", agent: "plain", packages: { undici: "8.12.4" }, calls: 3 },
];

export const FORMATS = ["esm", "cjs"] as const;
export type Format = (typeof FORMATS)[number];
export const NODES = ["22", "24", "26"] as const;
