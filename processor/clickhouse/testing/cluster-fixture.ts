import { applyMigrations, type DdlTarget } from "../migrations/apply-migrations.ts";
import { readMigrations } from "../schema.ts";
import { createStore } from "../store.ts";
import { freePort } from "../../testing/free-port.ts";
import { startServerFixture, type ServerFixture, type ServerPorts } from "./server-fixture.ts";

/** Two real servers, one shard each, in the cluster `main`. */
export interface ClusterFixture {
  readonly nodes: readonly ServerFixture[];
  /** Changes tables on both. */
  readonly target: DdlTarget;
  close(): Promise<void>;
}

/**
 * What two servers without Keeper can show of a cluster is real: shards, distributed inserts and reads, views on shards.
 * Replication and ON CLUSTER need Keeper; here the tables of a shard are not replicated and each server gets the
 * statements itself.
 */
export async function startClusterFixture(): Promise<ClusterFixture> {
  const ports = [await freePorts(), await freePorts()];
  const config = clusterXml(ports);
  const nodes = await Promise.all(ports.map((ofNode) => startServerFixture({ ports: ofNode, config })));
  const store = createStore({ url: nodes[0]!.url });
  const target: DdlTarget = {
    database: "default",
    cluster: { cluster: "main" },
    async command(sql) {
      for (const node of nodes) await node.run(withoutKeeper(sql));
    },
    query: (sql) => store.query(sql),
  };
  await applyMigrations(target, await readMigrations());
  return {
    nodes,
    target,
    async close() {
      await store.close();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

const freePorts = async (): Promise<ServerPorts> => ({ tcp: await freePort(), http: await freePort() });

const clusterXml = (ports: readonly ServerPorts[]): string => {
  const shards = ports.map(
    ({ tcp }) =>
      `<shard><internal_replication>true</internal_replication>` +
      `<replica><host>127.0.0.1</host><port>${tcp}</port></replica></shard>`,
  );
  return `<remote_servers><main>${shards.join("")}</main></remote_servers>`;
};

function withoutKeeper(sql: string): string {
  return sql
    .replaceAll(" ON CLUSTER `main`", "")
    .replace(/Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?/, "$1(")
    .replace("replicated_deduplication_window_seconds = 604800, ", "")
    .replace(/(?<!non_)replicated_deduplication_window/, "non_replicated_deduplication_window");
}
