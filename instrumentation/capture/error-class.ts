/** Errors that mean "the other side was not there", whatever the agent did. */
export const DEPENDENCY_ERROR_CLASSES: ReadonlySet<string> = new Set([
  "dependency_unavailable",
  "timeout",
  "rate_limited",
]);

const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "dependency_unavailable",
  ECONNRESET: "dependency_unavailable",
  ENOTFOUND: "dependency_unavailable",
  EAI_AGAIN: "dependency_unavailable",
  EHOSTUNREACH: "dependency_unavailable",
  ENETUNREACH: "dependency_unavailable",
  EPIPE: "dependency_unavailable",
  ETIMEDOUT: "timeout",
  ESOCKETTIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  UND_ERR_SOCKET: "dependency_unavailable",
  ABORT_ERR: "cancelled",
  ENOENT: "not_found",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  ENOSPC: "storage_full",
};

/** Of errors of JSON-RPC, whose codes are numbers (MCP). */
const BY_RPC_CODE: Readonly<Record<number, string>> = {
  [-32_001]: "timeout",
  [-32_000]: "dependency_unavailable",
};
/** A replayed one has lost its code, and repeats it in its message. */
const RPC_MESSAGE = /^MCP error (-?\d{1,6}):/;
const RPC_ERRORS: ReadonlySet<unknown> = new Set(["McpError", "ProtocolError"]);

const BY_NAME: Readonly<Record<string, string>> = {
  TimeoutError: "timeout",
  AbortError: "cancelled",
  SyntaxError: "invalid_output",
  ZodError: "invalid_output",
};

/** Also follows `cause`: `fetch` hides the socket error there. Deeper chains add nothing. */
const MAX_CAUSES = 4;
const MAX_NAME = 200;

/**
 * Normalises whatever was thrown to a low-cardinality class, so that an operator sees kinds of failures and not their
 * texts: a class of our own where one fits, else the exception's name, else `_OTHER` (OpenTelemetry's fallback). Total.
 */
export function errorClassOf(thrown: unknown): string {
  try {
    return classOf(thrown);
  } catch {
    // Getters and proxies may throw; an exception here would take the place of the agent's own.
    return "_OTHER";
  }
}

function classOf(thrown: unknown): string {
  let current = thrown;
  for (let depth = 0; depth < MAX_CAUSES && isObject(current); depth++) {
    const known = knownClass(current);
    if (known !== undefined) return known;
    current = current.cause;
  }
  const name = isObject(thrown) ? thrown.name : undefined;
  return typeof name === "string" && /^[A-Za-z_][\w.]{0,63}$/.test(name) ? name : "_OTHER";
}

/** Name and message of whatever was thrown. Total, like `errorClassOf()`. */
export function thrownText(thrown: unknown): { readonly name: string; readonly message: string } {
  try {
    const { name, message } = isObject(thrown) ? thrown : {};
    return {
      name: typeof name === "string" ? name.slice(0, MAX_NAME) : "Error",
      message: typeof message === "string" ? message : String(thrown),
    };
  } catch {
    return { name: "Error", message: "something was thrown that cannot be read" };
  }
}

interface ThrownObject {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** Not `instanceof Error`: errors come from other realms too, and providers throw plain objects. */
const isObject = (value: unknown): value is ThrownObject => typeof value === "object" && value !== null;

function knownClass({ code, status, statusCode, name, message }: ThrownObject): string | undefined {
  if (typeof code === "string" && Object.hasOwn(BY_CODE, code)) return BY_CODE[code];
  const rpcCode = RPC_ERRORS.has(name) ? (code ?? Number(RPC_MESSAGE.exec(String(message))?.[1] ?? NaN)) : undefined;
  if (typeof rpcCode === "number" && Number.isSafeInteger(rpcCode)) return BY_RPC_CODE[rpcCode] ?? String(rpcCode);
  const answered = typeof status === "number" ? status : statusCode;
  const byStatus = typeof answered === "number" ? classOfStatus(answered) : undefined;
  if (byStatus !== undefined) return byStatus;
  return typeof name === "string" && Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
}

function classOfStatus(status: number): string | undefined {
  if (status === 429) return "rate_limited";
  if (status === 408 || status === 504) return "timeout";
  if (status === 401 || status === 403) return "permission_denied";
  if (status === 404 || status === 410) return "not_found";
  if (status >= 500 && status < 600) return "dependency_unavailable";
  if (status >= 400 && status < 500) return "bad_request";
  return undefined;
}
