import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

import { parseError } from "@clickhouse/client";
import { ROWS_FILE_HEADER, withRowsFile } from "./rows-file.ts";
import { insertSettings, type ClusterTopology } from "./topology.ts";

/** Where a Native block goes. */
export interface NativeInsertTarget {
  /** Of an embedded engine, a server or a cluster; `http:` or `https:`. */
  readonly url: string;
  /** Default `default`. */
  readonly username?: string;
  /** Default none. */
  readonly password?: string;
  /** Default `default`. */
  readonly database?: string;
  /** The URL is one server of a cluster. Default: a server by itself. */
  readonly cluster?: ClusterTopology;
  /** PEM certificates to trust with `https:`. Default: those of the runtime. */
  readonly ca?: Buffer;
  /**
   * Where the embedded engine looks for files of rows: the block is left there, and the request names it. Through the
   * socket, its bytes would be copied four times more. Default: the block goes through the socket.
   */
  readonly inboxDirectory?: string;
  readonly table: string;
  /** The block's columns, in its order. */
  readonly columns: readonly string[];
  /** Names the block: under the same token it is stored once, however often it is sent. */
  readonly token: string;
  /** Silence after which the insert counts as failed. Default 60,000. */
  readonly timeoutMillis?: number;
  /** Gives the insert up: whether the rows are stored is then unknown. */
  readonly signal?: AbortSignal;
}

/**
 * Inserts one block of the Native format, given in pieces that are sent as they are. Resolves when the rows are durable.
 *
 * It stands beside the client because that has no binary insert. A refusal rejects with the client's `ClickHouseError`
 * (`isContentError` tells bad rows from trouble), a lost connection with the socket's error.
 */
export async function insertNative(target: NativeInsertTarget, block: readonly Uint8Array[]): Promise<void> {
  if (target.inboxDirectory === undefined) await sendFresh(target, { pieces: block });
  else await withRowsFile(target.inboxDirectory, block, (rowsFile) => sendFresh(target, { pieces: [], rowsFile }));
}

/** What goes over the wire. */
interface Sending {
  readonly pieces: readonly Uint8Array[];
  /** Name of the file that holds the block instead. */
  readonly rowsFile?: string;
}

async function sendFresh(target: NativeInsertTarget, sending: Sending): Promise<void> {
  try {
    await send(target, sending);
  } catch (error) {
    // The other side closed a kept connection while we took it up again; the token makes a second try harmless.
    if (!(error instanceof StaleConnectionError)) throw error;
    await send(target, sending);
  }
}

class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";
}

async function send(target: NativeInsertTarget, { pieces, rowsFile }: Sending): Promise<void> {
  const url = insertUrl(target);
  const size = pieces.reduce((bytes, piece) => bytes + piece.length, 0);
  const outgoing = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
    method: "POST",
    timeout: target.timeoutMillis ?? 60_000,
    ...(target.signal && { signal: target.signal }),
    ...(target.ca && { ca: target.ca }),
    headers: {
      "Content-Length": size,
      "Content-Type": "application/octet-stream",
      "X-ClickHouse-User": target.username ?? "default",
      "X-ClickHouse-Key": target.password ?? "",
      ...(rowsFile !== undefined && { [ROWS_FILE_HEADER]: rowsFile }),
    },
  });
  const answered = responseOf(outgoing);
  // A refusal may come before the last piece is out; what matters then is the response.
  const written = write(outgoing, pieces).catch(() => undefined);
  const response = await answered;
  const text = await textOf(response);
  await written;
  if (response.statusCode !== 200 || response.headers["x-clickhouse-exception-code"] !== undefined) {
    throw parseError(text === "" ? `The store answered with status ${response.statusCode}.` : text);
  }
}

function insertUrl({ url, database, cluster, table, columns, token }: NativeInsertTarget): URL {
  const target = new URL(url);
  const names = columns.map(quoted).join(", ");
  const parameters = {
    query: `INSERT INTO ${quoted(table)} (${names}) FORMAT Native`,
    database: database ?? "default",
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: "1",
    // A backfill covers more days than the default of 100 allows.
    max_partitions_per_insert_block: "1000",
    // The answer says that the rows are stored, not that they are queued or on their way.
    async_insert: "0",
    wait_end_of_query: "1",
    ...insertSettings(cluster),
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, String(value));
  return target;
}

const quoted = (name: string): string => `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;

function responseOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("timeout", () => outgoing.destroy(new Error("The store does not answer the insert.")));
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(isStale ? new StaleConnectionError(error.message, { cause: error }) : error);
    });
  });
}

/** Waits for the socket after each piece that fills its buffer, so at most one piece is queued. */
async function write(outgoing: ClientRequest, block: readonly Uint8Array[]): Promise<void> {
  outgoing.cork();
  for (const piece of block) {
    if (outgoing.destroyed) break;
    if (!outgoing.write(piece)) {
      outgoing.uncork();
      await drained(outgoing);
      outgoing.cork();
    }
  }
  outgoing.uncork();
  outgoing.end();
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}
