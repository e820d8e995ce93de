import type { McpTransport, RpcMessage } from "./mcp-client.ts";

/** What a connection came to, as it is recorded. */
export interface ConnectedServer {
  readonly capabilities?: unknown;
  readonly serverInfo?: unknown;
  readonly instructions?: unknown;
}

const METHOD_NOT_FOUND = -32_601;

/**
 * A transport with nobody behind it: introduces itself as the recorded server did, swallows notifications, and knows no
 * other method, for requests are answered before they get here. So no server runs in a replay, neither a child process
 * nor one behind HTTP, and the SDK's own code goes through its handshake.
 */
export function createReplayTransport(server: ConnectedServer): McpTransport {
  const answers: Readonly<Record<string, (params: unknown) => object>> = {
    ping: () => ({}),
    initialize: (params) => ({
      // Whatever version is asked for is the one that was agreed upon, as far as a replay can tell.
      protocolVersion: (params as { readonly protocolVersion?: unknown } | undefined)?.protocolVersion,
      capabilities: server.capabilities ?? {},
      serverInfo: server.serverInfo ?? { name: "replay", version: "0" },
      ...(server.instructions === undefined || server.instructions === null
        ? {}
        : { instructions: server.instructions }),
    }),
  };
  const transport: McpTransport = {
    start: async () => {},
    close: async () => transport.onclose?.(),
    send: async (message: RpcMessage) => {
      const { id, method = "", params } = message;
      if (id === undefined || method === "") return;
      const known = Object.hasOwn(answers, method) ? answers[method] : undefined;
      const error = { code: METHOD_NOT_FOUND, message: `a replay knows no ${method}` };
      const answer = known === undefined ? { error } : { result: known(params) };
      queueMicrotask(() => transport.onmessage?.({ jsonrpc: "2.0", id, ...answer }));
    },
  };
  return transport;
}
