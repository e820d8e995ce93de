const { failing } = require("./scene.cjs");
const { join } = require("node:path");

exports.packages = ["@modelcontextprotocol/sdk/client/index.js", "@modelcontextprotocol/sdk/client/stdio.js"];

exports.run = async (modules) => {
  const [{ Client }, { StdioClientTransport }] = exports.packages.map((name) => modules[name]);
  await useServer(Client, StdioClientTransport, "mcp-server.cjs");
};

exports.useServer = useServer;

async function useServer(Client, Transport, server) {
  const client = new Client({ name: "agent", version: "1" });
  await client.connect(new Transport({ command: process.execPath, args: [join(__dirname, server)] }));
  await client.listTools();
  const call = (name, city, ...options) => client.callTool({ name, arguments: { city } }, ...options);
  await call("weather", "Bern");
  await call("weather", "Rome");
  const missing = await call("weather", "Nowhere");
  if (missing.isError !== true) throw new Error("that should have failed");
  await failing(() => client.readResource({ uri: "weather://nowhere" }));
  const control = new AbortController();
  setTimeout(() => control.abort(), 50);
  const options = { signal: control.signal };
  await failing(() =>
    server === "mcp-server.cjs" ? call("wait", "Bern", undefined, options) : call("wait", "Bern", options),
  );
  await client.close();
}
