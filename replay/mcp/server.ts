import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { version } from "../version.ts";
import { ENVELOPE } from "./answer/envelope.ts";
import { instructions } from "./instructions.ts";
import { startProgress, type ProgressRequest } from "./progress.ts";
import type { McpSdk } from "./sdk.ts";
import type { McpTool } from "./tool.ts";
import type { ToolRunner } from "./tool-runner.ts";
import { toolsFor } from "./tools/all-tools.ts";

export interface ToolServerOptions {
  readonly runner: ToolRunner;
  /** Whether tools that write are there at all. */
  readonly writes: boolean;
  /** What this session's environment differs in: the credential its client showed. Default: nothing. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told what the SDK has to say for the operator. */
  readonly log: (message: string) => void;
}

/** A server of the official SDK with runproof's tools, for one client. */
export function createToolServer(sdk: McpSdk, options: ToolServerOptions): McpServer {
  const { writes, log } = options;
  const server = new sdk.McpServer(
    { name: "runproof", title: "runproof", version: version() },
    { instructions: instructions({ writes }) },
  );
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
  server.server.onerror = (error) => log(`MCP: ${error.message}`);
  for (const tool of toolsFor({ writes })) register(server, tool, options);
  return server;
}

function register(server: McpServer, tool: McpTool, { runner, env }: ToolServerOptions): void {
  const { name, title, description, access, hints, input } = tool;
  const annotations = {
    title,
    readOnlyHint: access === "read",
    destructiveHint: hints.destructive,
    idempotentHint: hints.idempotent,
    openWorldHint: hints.openWorld,
  };
  const config = { title, description, inputSchema: input, outputSchema: ENVELOPE, annotations };
  server.registerTool(name, config, async (args, extra) => {
    const progress = startProgress(name, extra as ProgressRequest);
    try {
      const { signal } = extra;
      return await runner.call(tool, { args, signal, onProgress: progress.say, ...(env && { env }) });
    } finally {
      progress.stop();
    }
  });
}
