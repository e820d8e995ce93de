// An MCP server over stdio. Writes a line into the file of its argument when it starts, and one for every call.
import { appendFileSync } from "node:fs";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const log = (line) => appendFileSync(process.argv[2], `${line}\n`);
const server = new McpServer({ name: "counter", version: "1" }, { instructions: "Count things." });
const text = (content) => ({ content: [{ type: "text", text: content }] });

server.registerTool(
  "count",
  { inputSchema: { of: z.string() }, annotations: { readOnlyHint: true } },
  ({ of }, extra) => {
    const { traceparent } = extra["_meta"] ?? {};
    log(`count ${typeof traceparent === "string" ? traceparent : ""}`);
    return of === "unicorns" ? { ...text("there are none"), isError: true } : text(`3 ${of}`);
  },
);
server.registerTool("release", { inputSchema: { of: z.string() } }, ({ of }) => text(`${of} are free`));
server.registerResource("list", "otters://list", {}, (uri) => ({ contents: [{ uri: uri.href, text: "Ottilie" }] }));

log("started");
await server.connect(new StdioServerTransport());
