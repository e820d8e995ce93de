import { patchAnthropic } from "../../instrumentation/auto/anthropic/index.ts";
import { instrumentAiSdk } from "../../instrumentation/auto/ai-sdk/index.ts";
import { instrumentLangChain } from "../../instrumentation/auto/langchain/index.ts";
import { instrumentMastra } from "../../instrumentation/auto/mastra/index.ts";
import { instrumentOpenAiAgents } from "../../instrumentation/auto/openai-agents/index.ts";
import { instrumentBullMq, instrumentPgBoss } from "../../instrumentation/auto/boundary/job-handlers.ts";
import { patchMcpClient, patchMcpServer } from "../../instrumentation/auto/mcp/index.ts";
import { patchOpenai } from "../../instrumentation/auto/openai/index.ts";

/** A module that is patched when it is loaded, by `import` or `require`. */
export interface StackModule {
  /** Name of the package, or of one of its entries; `disabled` of the configuration goes by the package. */
  readonly module: string;
  /** A file inside the package, matched against its path in the package with `/`. Default: the package's entry. */
  readonly file?: RegExp;
  /** Gets the module's exports, which it may change in place. Called once a module; what it throws is reported. */
  readonly patch: (exports: Record<string, unknown>) => void;
}

/** Every stack that is instrumented when it is loaded. One line each. */
export const STACK_MODULES: readonly StackModule[] = [
  { module: "pg-boss", patch: instrumentPgBoss },
  { module: "bullmq", patch: instrumentBullMq },
  { module: "openai", patch: patchOpenai },
  { module: "@anthropic-ai/sdk", patch: patchAnthropic },
  { module: "@modelcontextprotocol/sdk", file: /^dist\/(?:esm|cjs)\/client\/index\.js$/, patch: patchMcpClient },
  { module: "@modelcontextprotocol/sdk", file: /^dist\/(?:esm|cjs)\/server\/index\.js$/, patch: patchMcpServer },
  // The package has no entry, without which files are met by their whole name only (`require`).
  { module: "@modelcontextprotocol/sdk/dist/cjs/client", patch: patchMcpClient },
  { module: "@modelcontextprotocol/sdk/dist/cjs/server", patch: patchMcpServer },
  { module: "@modelcontextprotocol/client", patch: patchMcpClient },
  { module: "@modelcontextprotocol/client", file: /^dist\/index\.[cm]js$/, patch: patchMcpClient },
  { module: "@modelcontextprotocol/server", patch: patchMcpServer },
  { module: "@modelcontextprotocol/server", file: /^dist\/index\.[cm]js$/, patch: patchMcpServer },
  { module: "ai", patch: instrumentAiSdk },
  // Entries whose `require` is another file than `main` are met as a file of the package.
  { module: "@openai/agents-core", patch: instrumentOpenAiAgents },
  { module: "@openai/agents-core", file: /^dist\/index\.m?js$/, patch: instrumentOpenAiAgents },
  // Core 0.3 has no main entry, and then `require` is met at the entries that are there.
  { module: "@langchain/core/tools", patch: instrumentLangChain },
  { module: "@langchain/core/runnables", patch: instrumentLangChain },
  { module: "@langchain/core", file: /^dist\/tools\/index\.c?js$/, patch: instrumentLangChain },
  { module: "@langchain/core", file: /^dist\/runnables\/index\.c?js$/, patch: instrumentLangChain },
  { module: "@langchain/langgraph", patch: instrumentLangChain },
  { module: "@langchain/langgraph", file: /^dist\/(pregel\/)?index\.c?js$/, patch: instrumentLangChain },
  { module: "@mastra/core", patch: instrumentMastra },
  { module: "@mastra/core", file: /^dist\/(agent\/)?index\.c?js$/, patch: instrumentMastra },
];
