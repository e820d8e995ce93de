/** What is used of a client of `@modelcontextprotocol/sdk` 1.x or `@modelcontextprotocol/client` 2.x. */
export interface McpClient {
  readonly transport?: McpTransport | undefined;
  getServerCapabilities?(): unknown;
  getServerVersion?(): unknown;
  getInstructions?(): unknown;
}

/** How messages travel; the SDK's own interface. */
export interface McpTransport {
  start(): Promise<void>;
  send(message: RpcMessage, options?: unknown): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: object, extra?: unknown) => void) | undefined;
  readonly sessionId?: string | undefined;
}

export interface RpcMessage {
  readonly method?: string;
  readonly id?: string | number;
  readonly params?: unknown;
}

export interface RpcRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}
