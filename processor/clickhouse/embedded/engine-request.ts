import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";

import { EngineError, syntaxError } from "./engine-error.ts";
import { isIgnoredSetting } from "./engine-settings.ts";

/** One request of ClickHouse's HTTP interface, taken apart but not yet trusted. */
export interface EngineRequest {
  readonly user: string;
  readonly password: string;
  readonly query: string;
  readonly queryId?: string;
  readonly database?: string;
  readonly defaultFormat?: string;
  /** Settings by URL, `param_…` excluded. */
  readonly settings: ReadonlyMap<string, string>;
  /** `param_…` entries, values TSV-escaped as the protocol has them. */
  readonly parameters: ReadonlyMap<string, string>;
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
  return {
    ...credentialsOf(message, url),
    query: one("query") ?? "",
    settings,
    parameters,
    ...(queryId !== undefined && { queryId }),
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

function credentialsOf(message: IncomingMessage, url: URL): { user: string; password: string } {
  const user = header(message, "x-clickhouse-user");
  if (user !== undefined) return { user, password: header(message, "x-clickhouse-key") ?? "" };
  const basic = /^basic (?<encoded>\S+)$/i.exec(message.headers.authorization ?? "")?.groups?.["encoded"];
  if (basic !== undefined) {
    const [name = "", ...rest] = Buffer.from(basic, "base64").toString().split(":");
    return { user: name, password: rest.join(":") };
  }
  if (message.headers.authorization !== undefined) {
    throw new EngineError(516, "AUTHENTICATION_FAILED", "Only basic authentication is available.");
  }
  return { user: url.searchParams.get("user") ?? "default", password: url.searchParams.get("password") ?? "" };
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
