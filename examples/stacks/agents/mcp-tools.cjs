const { appendFileSync } = require("node:fs");

/** Says in the file of `STACKS_SERVER_LOG` that a server was started: a replay must not. */
exports.addTools = (server, inputSchema, Transport) => {
  if (process.env.STACKS_SERVER_LOG) appendFileSync(process.env.STACKS_SERVER_LOG, "started\n");
  const text = (content) => ({ content: [{ type: "text", text: content }] });
  server.registerTool("weather", { inputSchema }, ({ city }) =>
    city === "Nowhere" ? { ...text("no such city"), isError: true } : text(`sunny in ${city}`),
  );
  server.registerTool("wait", { inputSchema }, () => new Promise(() => {}));
  server.registerResource("list", "weather://list", {}, (uri) => ({ contents: [{ uri: uri.href, text: "Bern" }] }));
  void server.connect(new Transport());
};
