import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type ClickHouseClient } from "@clickhouse/client";
import { createEmbeddedEngine } from "../processor/clickhouse/embedded/embedded-engine.ts";
import { insertNative } from "../processor/clickhouse/native-insert.ts";
import { SPAN_COLUMNS } from "../processor/clickhouse/rows.ts";
import { createStore, type Store } from "../processor/clickhouse/store.ts";
import { createSpanBlock } from "../processor/native/index.ts";

/** An engine with the service's tables and nothing before it. */
export interface BenchEngine {
  readonly store: Store;
  readonly client: ClickHouseClient;
  readonly target: { readonly url: string; readonly username: string; readonly password: string };
  readonly pid: number | undefined;
}

export const SPAN_COLUMN_LIST = SPAN_COLUMNS.map((name) => `\`${name}\``).join(", ");

export async function withEngine<Result>(
  work: (engine: BenchEngine) => Promise<Result>,
  parent = tmpdir(),
): Promise<Result> {
  const directory = await mkdtemp(join(parent, "runproof-bench-"));
  const engine = createEmbeddedEngine({ dataDirectory: directory, port: 0 });
  await engine.start();
  const target = { url: engine.url(), ...engine.serviceCredentials() };
  const store = createStore(target);
  const client = createClient(target);
  try {
    await store.migrate();
    return await work({ store, client, target, pid: engine.pid() });
  } finally {
    await Promise.all([store.close(), client.close()]);
    await engine.shutdown();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A Memory table with the spans of the bodies, in the columns of `otel_traces`; gives how many. */
export async function fillMemoryTable(
  { client, target }: BenchEngine,
  table: string,
  bodies: readonly Uint8Array[],
): Promise<number> {
  await client.command({
    query: `CREATE TABLE ${table} ENGINE = Memory EMPTY AS SELECT ${SPAN_COLUMN_LIST} FROM otel_traces`,
  });
  const block = createSpanBlock();
  for (const body of bodies) block.append(body);
  await insertNative({ ...target, table, columns: SPAN_COLUMNS, token: table }, block.finish());
  return block.rows;
}
