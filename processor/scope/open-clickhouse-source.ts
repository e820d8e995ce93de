import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { WritableScopeSource } from "../../instrumentation/scope/scope-source.ts";
import { createScopeStore } from "../clickhouse/scope-store.ts";
import { createStore, type StoreOptions } from "../clickhouse/store.ts";
import { createClickHouseSource } from "./clickhouse-source.ts";

export interface OpenClickHouseSourceOptions extends Pick<StoreOptions, "url" | "username" | "password" | "database"> {
  /** Which scope; any text. Those that begin with `runproof.` are the service's own. */
  readonly key: string;
  /** Kept with each version, for people. Default: host and process id. */
  readonly writtenBy?: string;
}

/**
 * A cloud default in ClickHouse, for agents that share a server. The table `runproof_scopes` is one of the service's: it is
 * there once a service has started on that database. Connects lazily; to be closed.
 */
export function openClickHouseSource(
  options: OpenClickHouseSourceOptions,
): WritableScopeSource & { close(): Promise<void> } {
  const { key, writtenBy = `${hostname()} ${process.pid}`, ...target } = options;
  const store = createStore(target);
  const scopes = createScopeStore(store);
  const source = createClickHouseSource({ scopes, key, writtenBy, now: Date.now, newId: randomUUID });
  return { ...source, close: () => store.close() };
}
