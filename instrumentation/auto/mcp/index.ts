export { patchMcpClient } from "./patch-client.ts";
export { patchMcpServer, type McpServerOptions } from "./patch-server.ts";
