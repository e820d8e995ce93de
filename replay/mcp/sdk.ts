/** The parts of the official MCP SDK that a server is made of. */
export interface McpSdk {
  readonly McpServer: typeof import("@modelcontextprotocol/sdk/server/mcp.js").McpServer;
  readonly StdioServerTransport: typeof import("@modelcontextprotocol/sdk/server/stdio.js").StdioServerTransport;
  readonly StreamableHTTPServerTransport: typeof import("@modelcontextprotocol/sdk/server/streamableHttp.js").StreamableHTTPServerTransport;
}

/** The SDK is an optional peer: only `runproof mcp` needs it. */
export interface MissingSdk {
  /** What to do about it. */
  readonly message: string;
}

/** Loads the SDK, when it is asked for and not before. */
export async function loadMcpSdk(): Promise<McpSdk | MissingSdk> {
  try {
    const [server, stdio, http] = await Promise.all([
      import("@modelcontextprotocol/sdk/server/mcp.js"),
      import("@modelcontextprotocol/sdk/server/stdio.js"),
      import("@modelcontextprotocol/sdk/server/streamableHttp.js"),
    ]);
    return {
      McpServer: server.McpServer,
      StdioServerTransport: stdio.StdioServerTransport,
      StreamableHTTPServerTransport: http.StreamableHTTPServerTransport,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return {
      message:
        "runproof mcp needs a package that is not installed: run `npm install @modelcontextprotocol/sdk` " +
        "beside runproof.",
    };
  }
}
