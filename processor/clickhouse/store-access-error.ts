import { ClickHouseError } from "@clickhouse/client";

/** Why a store cannot be worked with at all. */
export type StoreAccessCode = "unreachable" | "authentication" | "database_missing" | "denied";

/** The store cannot be used as configured. The message says what to do and holds no secret. */
export class StoreAccessError extends Error {
  override readonly name = "StoreAccessError";
  readonly code: StoreAccessCode;

  constructor(code: StoreAccessCode, message: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What was tried. */
export interface StoreAccess {
  readonly url: string;
  readonly username?: string;
  readonly database?: string;
}

const SERVER_ERRORS: Readonly<Record<string, StoreAccessCode>> = {
  AUTHENTICATION_FAILED: "authentication",
  REQUIRED_PASSWORD: "authentication",
  WRONG_PASSWORD: "authentication",
  UNKNOWN_USER: "authentication",
  UNKNOWN_DATABASE: "database_missing",
  ACCESS_DENIED: "denied",
  READONLY: "denied",
};

/** The error with the reason an operator can act on; errors of another kind come back as they are. */
export function explainedStoreError(error: unknown, access: StoreAccess): unknown {
  const cause = clickHouseErrorIn(error);
  const code = cause === undefined ? networkCode(error) : SERVER_ERRORS[cause.type ?? ""];
  if (code === undefined) return error;
  return new StoreAccessError(code, messageFor(code, access, (cause ?? (error as Error)).message), { cause: error });
}

function clickHouseErrorIn(error: unknown): ClickHouseError | undefined {
  if (error instanceof ClickHouseError) return error;
  return error instanceof Error && error.cause !== undefined ? clickHouseErrorIn(error.cause) : undefined;
}

/** Errors of sockets and of TLS have a code in capitals; the client's own time limit has a message only. */
function networkCode(error: unknown): StoreAccessCode | undefined {
  if (!(error instanceof Error) || error.name === "SchemaMismatchError") return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return (typeof code === "string" && /^[A-Z_0-9]+$/.test(code)) || /timeout/i.test(error.message)
    ? "unreachable"
    : undefined;
}

function messageFor(code: StoreAccessCode, access: StoreAccess, detail: string): string {
  const at = `the store at ${new URL(access.url).origin}`;
  const user = access.username ?? "default";
  const database = access.database ?? "default";
  switch (code) {
    case "unreachable":
      return `${at} cannot be reached; check RUNPROOF_CLICKHOUSE_SERVER_URL, and that the server runs`;
    case "authentication":
      return `${at} does not accept user ${user}; check RUNPROOF_CLICKHOUSE_SERVER_USER and RUNPROOF_CLICKHOUSE_SERVER_PASSWORD`;
    case "database_missing":
      return `${at} has no database ${database}; CREATE DATABASE ${database}, or set RUNPROOF_CLICKHOUSE_SERVER_DATABASE`;
    case "denied":
      return `${at} does not allow user ${user} what runproof needs (${firstLine(detail)}); \`runproof store check\` lists the rights`;
  }
}

const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").trim().slice(0, 300);
