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

const BY_NAME: Readonly<Record<string, string>> = {
  TimeoutError: "timeout",
  AbortError: "cancelled",
  SyntaxError: "invalid_output",
  ZodError: "invalid_output",
};

/** Also follows `cause`: `fetch` hides the socket error there. Deeper chains add nothing. */
const MAX_CAUSES = 4;

/**
 * Normalises whatever was thrown to a low-cardinality class, so that an operator sees kinds of failures and not their
 * texts: a class of our own where one fits, else the exception's name, else `_OTHER` (OpenTelemetry's fallback).
 */
export function errorClassOf(thrown: unknown): string {
  let current = thrown;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Object; depth++) {
    const known = knownClass(current);
    if (known !== undefined) return known;
    current = (current as { cause?: unknown }).cause;
  }
  const name = thrown instanceof Error ? thrown.name : undefined;
  return name !== undefined && /^[A-Za-z_][\w.]{0,63}$/.test(name) ? name : "_OTHER";
}

function knownClass(error: {
  code?: unknown;
  status?: unknown;
  statusCode?: unknown;
  name?: unknown;
}): string | undefined {
  if (typeof error.code === "string" && Object.hasOwn(BY_CODE, error.code)) return BY_CODE[error.code];
  const status = typeof error.status === "number" ? error.status : error.statusCode;
  if (typeof status === "number") return classOfStatus(status);
  if (typeof error.name === "string" && Object.hasOwn(BY_NAME, error.name)) return BY_NAME[error.name];
  return undefined;
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
