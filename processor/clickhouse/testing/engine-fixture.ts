import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client";

import { createEmbeddedEngine, type EmbeddedEngine } from "../embedded/embedded-engine.ts";

/** A real engine on a free port and a directory of its own, with a client per role. */
export interface EngineFixture {
  readonly engine: EmbeddedEngine;
  readonly directory: string;
  readonly service: ClickHouseClient;
  readonly reader: ClickHouseClient;
  close(): Promise<void>;
}

export async function startEngineFixture(hungAfterMillis = 10_000): Promise<EngineFixture> {
  const directory = await mkdtemp(join(tmpdir(), "runproof-engine-"));
  const engine = createEmbeddedEngine({ dataDirectory: directory, port: 0, hungAfterMillis });
  await engine.start();
  const options = { url: engine.url(), log: { level: ClickHouseLogLevel.OFF } };
  const service = createClient({ ...options, ...engine.serviceCredentials() });
  const reader = createClient(options);
  return {
    engine,
    directory,
    service,
    reader,
    async close() {
      await Promise.all([service.close(), reader.close()]);
      await engine.shutdown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function rowsOf<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  return (await client.query({ query, format: "JSONEachRow" })).json<T>();
}
