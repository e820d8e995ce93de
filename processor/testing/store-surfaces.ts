import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";

/** What a reader gets: rows as `TabSeparated`, or the engine's error by name; `told` is every byte of the answer. */
export interface ReaderAnswer {
  readonly outcome: string;
  readonly told: string;
}

type Surface = (url: string, sql: string, token: string | undefined) => Promise<ReaderAnswer>;

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const ERROR_NAME = /\(([A-Z_]{3,})\)(?: \(version [^)]*\))?\s*$/;

async function raw(url: string, init: RequestInit): Promise<ReaderAnswer> {
  const response = await fetch(url, init);
  const body = await response.text();
  const told = `${JSON.stringify([...response.headers])}\n${body}`;
  if (response.status === 200) return { outcome: body.trimEnd(), told };
  return { outcome: ERROR_NAME.exec(body)?.[1] ?? `status ${response.status}`, told };
}

async function official(config: Parameters<typeof createClient>[0], sql: string): Promise<ReaderAnswer> {
  const client = createClient({ ...config, log: { level: ClickHouseLogLevel.OFF } });
  try {
    // Not `query()`: it adds a FORMAT, and not every statement takes one.
    const { stream, response_headers } = await client.exec({ query: sql });
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks).toString();
    return { outcome: body.trimEnd(), told: `${JSON.stringify(response_headers)}\n${body}` };
  } catch (error) {
    if (!(error instanceof ClickHouseError)) throw error;
    return { outcome: error.type ?? "", told: `${error.message} ${JSON.stringify(error)}` };
  } finally {
    await client.close();
  }
}

/** Every way in which a reader can show a token, by name. */
export const SURFACES: Readonly<Record<string, Surface>> = {
  "official client, password": (url, sql, token) => official({ url, username: "grafana", password: token ?? "" }, sql),
  "official client, access token": (url, sql, token) =>
    token === undefined ? official({ url }, sql) : official({ url, access_token: token }, sql),
  "GET with headers": (url, sql, token) =>
    raw(`${url}/?query=${encodeURIComponent(sql)}`, {
      headers: token === undefined ? {} : { "X-ClickHouse-User": "default", "X-ClickHouse-Key": token },
    }),
  "POST with headers": (url, sql, token) =>
    raw(url, {
      method: "POST",
      body: sql,
      headers:
        token === undefined
          ? { "X-ClickHouse-User": "shop" }
          : { "X-ClickHouse-User": "shop", "X-ClickHouse-Key": token },
    }),
  "POST with Basic": (url, sql, token) =>
    raw(url, { method: "POST", body: sql, headers: { authorization: basic("bank", token ?? "") } }),
  "POST with Bearer": (url, sql, token) =>
    raw(url, { method: "POST", body: sql, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }),
  "GET with the URL": (url, sql, token) =>
    raw(`${url}/?user=lab${token === undefined ? "" : `&password=${token}`}&query=${encodeURIComponent(sql)}`, {}),
};
