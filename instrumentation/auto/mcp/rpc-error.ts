const MESSAGE_CODE = /^MCP error (-?\d{1,6}):/;

/** A replayed error keeps its name and message; agents of this protocol look at the code. */
export function withRpcCode(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "McpError" || "code" in error) return error;
  const code = MESSAGE_CODE.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(error, { code: Number(code) });
}
