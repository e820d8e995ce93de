import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";

import { bearerToken } from "../../auth/tokens.ts";
import { isRowsFileName, ROWS_FILE_HEADER } from "../rows-file.ts";
import { EngineError, syntaxError } from "./engine-error.ts";
import type { ShownCredential } from "./engine-rights.ts";
import { isIgnoredSetting } from "./engine-settings.ts";

/** One request of ClickHouse's HTTP interface, taken apart but not yet trusted. */
export interface EngineRequest {
  readonly credential: ShownCredential;
  readonly query: string;
  readonly queryId?: string;
  readonly database?: string;
  readonly defaultFormat?: string;
  /** Settings by URL, `param_…` excluded. */
  readonly settings: ReadonlyMap<string, string>;
  /** `param_…` entries, values TSV-escaped as the protocol has them. */
  readonly parameters: ReadonlyMap<string, string>;
  /** A file of the inbox that holds the rows of an insert; the service's alone to name. */
  readonly rowsFile?: string;
}

export function requestFrom(message: IncomingMessage): EngineRequest {
  const url = new URL(message.url ?? "/", "http://localhost");
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_")) parameters.set(parameterName(name), value);
    else if (!NOT_SETTINGS.has(name) && !isIgnoredSetting(name)) settings.set(name, value);
  }
  const one = (name: string) => url.searchParams.get(name) ?? undefined;
  const database = header(message, "x-clickhouse-database") ?? one("database");
  const defaultFormat = header(message, "x-clickhouse-format") ?? one("default_format");
  const queryId = one("query_id");
  const rowsFile = header(message, ROWS_FILE_HEADER);
  if (rowsFile !== undefined && !isRowsFileName(rowsFile)) throw syntaxError("bad name of a file of rows");
  return {
    credential: credentialOf(message, url),
    query: one("query") ?? "",
    settings,
    parameters,
    ...(queryId !== undefined && { queryId }),
    ...(rowsFile !== undefined && { rowsFile }),
    ...(database !== undefined && { database }),
    ...(defaultFormat !== undefined && { defaultFormat }),
  };
}

const NOT_SETTINGS = new Set(["query", "query_id", "database", "default_format", "user", "password"]);

/** The name stands in a `SET` statement, so it is a plain word or nothing. */
function parameterName(name: string): string {
  if (!/^param_[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) throw syntaxError("bad name of a query parameter");
  return name;
}

/** ClickHouse's own headers, then `Authorization`, then the URL: the first that is there decides alone. */
function credentialOf(message: IncomingMessage, url: URL): ShownCredential {
  const user = header(message, "x-clickhouse-user");
  const key = header(message, "x-clickhouse-key");
  if (user !== undefined || key !== undefined) return { user: user ?? "default", password: key ?? "" };
  const { authorization } = message.headers;
  if (authorization !== undefined) return credentialFromAuthorization(authorization);
  return { user: url.searchParams.get("user") ?? "default", password: url.searchParams.get("password") ?? "" };
}

function credentialFromAuthorization(authorization: string): ShownCredential {
  const basic = /^basic (?<encoded>\S+)$/i.exec(authorization)?.groups?.["encoded"];
  // No user has an empty name, so an unreadable header stands for nobody, also where everybody may read.
  if (basic === undefined) return { user: "", password: bearerToken(authorization) ?? "" };
  const [user = "", ...rest] = Buffer.from(basic, "base64").toString().split(":");
  return { user, password: rest.join(":") };
}

function header(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * The body, inflated when the request says gzip.
 * @param maxBytes bound for the inflated bytes; more is TOO_LARGE_STRING_SIZE (413).
 */
export async function* bodyOf(message: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of inflated(message)) {
    total += chunk.length;
    if (total > maxBytes) throw new EngineError(131, "TOO_LARGE_STRING_SIZE", `Body is over ${maxBytes} bytes.`);
    yield chunk;
  }
}

function inflated(message: IncomingMessage): AsyncIterable<Uint8Array> {
  const encoding = message.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return message;
  if (encoding !== "gzip") throw new EngineError(48, "NOT_IMPLEMENTED", "Only gzip bodies are understood.");
  const gunzip = createGunzip();
  message.on("error", (error) => gunzip.destroy(error));
  return message.pipe(gunzip);
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
