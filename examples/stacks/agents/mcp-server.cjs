const { McpServer } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { z } = require("zod");

require("./mcp-tools.cjs").addTools(
  new McpServer({ name: "weather", version: "1" }),
  { city: z.string() },
  StdioServerTransport,
);
