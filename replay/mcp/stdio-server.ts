import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { Readable } from "node:stream";
import type { CommandContext } from "../commands/context.ts";
import { reserveStdout } from "./reserve-stdout.ts";
import type { McpSdk } from "./sdk.ts";
import { createToolServer, type ToolServerOptions } from "./server.ts";

export interface StdioServerOptions extends ToolServerOptions {
  readonly context: CommandContext;
  readonly stdin: Readable;
}

/**
 * Serves one client over standard input and output until it closes the input, is gone, or the process is interrupted.
 * Standard output carries the protocol and nothing else: what anybody else prints there goes to standard error.
 */
export async function serveStdio(sdk: McpSdk, options: StdioServerOptions): Promise<void> {
  const { context, stdin } = options;
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const reserved = reserveStdout(context);
  // The SDK's own types do not fit each other under exactOptionalPropertyTypes.
  const transport = new sdk.StdioServerTransport(stdin, reserved.protocol) as Transport;
  const server = createToolServer(sdk, options);
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
  server.server.onclose = end;
  for (const event of ["end", "close", "error"] as const) stdin.once(event, () => end());
  reserved.protocol.once("error", () => end());
  context.signal.addEventListener("abort", () => end(), { once: true });
  try {
    await server.connect(transport);
    if (!context.signal.aborted) await isOver;
  } finally {
    // Calls under way are aborted with it.
    await server.close();
    reserved.release();
  }
}
