const { McpServer } = require("@modelcontextprotocol/server");
const { StdioServerTransport } = require("@modelcontextprotocol/server/stdio");
const { z } = require("zod");

const schema = z.object({ city: z.string() });
require("./mcp-tools.cjs").addTools(new McpServer({ name: "weather", version: "1" }), schema, StdioServerTransport);
