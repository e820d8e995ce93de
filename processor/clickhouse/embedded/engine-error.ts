/**
 * A failure as ClickHouse's HTTP interface reports it: the text `Code: N. DB::Exception: … (NAME)`, a code, a status.
 * Clients parse the text, so its form is part of the protocol.
 */
export class EngineError extends Error {
  readonly code: number;
  readonly type: string;

  constructor(code: number, type: string, message: string) {
    super(message);
    this.name = "EngineError";
    this.code = code;
    this.type = type;
  }

  /** The response body. */
  get text(): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.type})\n`;
  }

  get httpStatus(): number {
    return HTTP_STATUS[this.type] ?? (this.type.startsWith("CANNOT_PARSE") ? 400 : 500);
  }
}

/** ClickHouse's `exceptionCodeToHTTPStatus`, the entries a client can meet here. */
const HTTP_STATUS: Readonly<Record<string, number>> = {
  ACCESS_DENIED: 403,
  AUTHENTICATION_FAILED: 403,
  BAD_ARGUMENTS: 400,
  INCORRECT_DATA: 400,
  READONLY: 403,
  SYNTAX_ERROR: 400,
  TYPE_MISMATCH: 400,
  UNSUPPORTED_METHOD: 405,
  HTTP_LENGTH_REQUIRED: 411,
  TOO_LARGE_STRING_SIZE: 413,
  TOO_MANY_SIMULTANEOUS_QUERIES: 503,
  UNKNOWN_DATABASE: 404,
  UNKNOWN_FORMAT: 404,
  UNKNOWN_FUNCTION: 404,
  UNKNOWN_IDENTIFIER: 404,
  UNKNOWN_QUERY_PARAMETER: 400,
  UNKNOWN_SETTING: 404,
  UNKNOWN_TABLE: 404,
  NOT_IMPLEMENTED: 501,
};

const EXCEPTION = /^(?:Code: \d+\. DB::Exception: )?(?<message>.*) \((?<type>[A-Z0-9_]{3,})\)(?: \(version [^)]*\))?$/s;

/** Reads the code and the name out of an error of the engine. */
export function engineErrorFrom(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = Number(/Code: (\d+)\./.exec(text)?.[1] ?? 1002);
  const groups = EXCEPTION.exec(text.trim())?.groups;
  const engineError = new EngineError(code, groups?.["type"] ?? "UNKNOWN_EXCEPTION", groups?.["message"] ?? text);
  engineError.cause = error;
  return engineError;
}

export const readonlyRefusal = (what: string): EngineError =>
  new EngineError(164, "READONLY", `default: Cannot execute query in readonly mode: ${what}.`);

export const accessDenied = (what: string): EngineError =>
  new EngineError(497, "ACCESS_DENIED", `default: Not enough privileges: ${what}.`);

export const syntaxError = (what: string): EngineError => new EngineError(62, "SYNTAX_ERROR", `Syntax error: ${what}.`);
