/**
 * The usual collector, as people write it: `node bench/usual-collector.ts <stored | memory> <data directory>`. node:http,
 * protobufjs, row objects, a buffer of 10,000 rows or 100 ms, `@clickhouse/client` with JSONEachRow, into the same embedded
 * engine with the same tables. `stored` acknowledges after the insert, `memory` from the buffer.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { createClient } from "@clickhouse/client";
import { createEmbeddedEngine } from "../processor/clickhouse/embedded/embedded-engine.ts";
import { createStore } from "../processor/clickhouse/store.ts";
import { usualRows } from "./usual-rows.ts";

const FLUSH_ROWS = 10_000;
const FLUSH_MILLIS = 100;
/** An acknowledgement from memory needs a bound, or the process ends by itself. */
const MAX_INSERTS = 8;

const [acknowledge = "stored", dataDirectory = ""] = process.argv.slice(2);
const inflate = promisify(gunzip);
const engine = createEmbeddedEngine({ dataDirectory, port: 0 });
await engine.start();
const target = { url: engine.url(), ...engine.serviceCredentials() };
const store = createStore(target);
await store.migrate();
const client = createClient(target);

let buffer: object[] = [];
let flushed = Promise.withResolvers<void>();
let timer: NodeJS.Timeout | undefined;
const inserts = new Set<Promise<void>>();

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  const [values, waiting] = [buffer, flushed];
  [buffer, flushed] = [[], Promise.withResolvers<void>()];
  const inserting = client
    .insert({ table: "otel_traces", values, format: "JSONEachRow" })
    .then(() => waiting.resolve(), waiting.reject)
    .finally(() => inserts.delete(inserting));
  inserts.add(inserting);
}

/** Resolves when the rows are where the acknowledgement says. */
async function add(rows: readonly object[]): Promise<void> {
  while (inserts.size >= MAX_INSERTS) await Promise.race(inserts);
  for (const row of rows) buffer.push(row);
  const stored = flushed.promise;
  stored.catch(() => {});
  if (buffer.length >= FLUSH_ROWS) flush();
  else timer ??= setTimeout(flush, FLUSH_MILLIS);
  if (acknowledge === "stored") await stored;
}

async function receive(request: IncomingMessage): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  const body = Buffer.concat(chunks);
  await add(usualRows(request.headers["content-encoding"] === "gzip" ? await inflate(body) : body));
}

const server = createServer((request, response) => {
  receive(request).then(
    () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end(),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
process.stdout.write(
  `  OTLP/HTTP   http://127.0.0.1:${port}\n  ClickHouse  ${engine.url()}\n  data        ${dataDirectory}\n`,
);

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void Promise.allSettled(inserts)
    .then(() => Promise.all([store.close(), client.close()]))
    .then(() => engine.shutdown())
    .then(() => process.exit(0));
});
