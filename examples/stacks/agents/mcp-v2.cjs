const { useServer } = require("./mcp.cjs");

exports.packages = ["@modelcontextprotocol/client", "@modelcontextprotocol/client/stdio"];

exports.run = ({
  "@modelcontextprotocol/client": { Client },
  "@modelcontextprotocol/client/stdio": { StdioClientTransport },
}) => useServer(Client, StdioClientTransport, "mcp-server-v2.cjs");
