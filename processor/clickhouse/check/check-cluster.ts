import { sqlString } from "../embedded/sql-text.ts";
import type { ClusterTopology } from "../topology.ts";
import type { StoreFinding, StoreQuery } from "./finding.ts";

const MAX_DELAY_SECONDS = 300;

/** What is wrong with the cluster as its servers see it: definition, Keeper, replicas, queues of distributed tables. */
export async function checkCluster(query: StoreQuery, { cluster }: ClusterTopology): Promise<StoreFinding[]> {
  const definition = await checkDefinition(query, cluster);
  // Nothing more can be asked of a cluster that is not there.
  if (definition.some(({ subject }) => subject === cluster)) return definition;
  return [
    ...definition,
    ...(await checkMacros(query)),
    ...(await checkReplicas(query, cluster)),
    ...(await checkQueues(query, cluster)),
  ];
}

async function checkDefinition(query: StoreQuery, cluster: string): Promise<StoreFinding[]> {
  const rows = await query<{ host: string; internal: number; errors: number }>(
    "SELECT concat(host_name, ':', toString(port)) AS host, internal_replication AS internal, errors_count AS errors " +
      "FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num",
    { cluster },
  );
  if (rows.length === 0) {
    return [
      finding(
        cluster,
        "the server knows no such cluster",
        "name one of system.clusters in RUNPROOF_CLICKHOUSE_CLUSTER",
      ),
    ];
  }
  return rows.flatMap(({ host, internal, errors }) => [
    ...(internal === 1
      ? []
      : [
          finding(
            host,
            "its shard has no internal_replication: rows are sent to every replica twice",
            "set internal_replication to true in remote_servers",
          ),
        ]),
    ...(errors === 0
      ? []
      : [
          finding(
            host,
            `${errors} errors in talking to it`,
            "check that it runs and can be reached from the other servers",
          ),
        ]),
  ]);
}

async function checkMacros(query: StoreQuery): Promise<StoreFinding[]> {
  const rows = await query<{ macro: string }>("SELECT macro FROM system.macros");
  const missing = ["shard", "replica"].filter((macro) => !rows.some((row) => row.macro === macro));
  return missing.map((macro) =>
    finding(
      `{${macro}}`,
      "the server has no such macro: replicated tables cannot be made",
      "define it in every server's macros",
    ),
  );
}

async function checkReplicas(query: StoreQuery, cluster: string): Promise<StoreFinding[]> {
  const rows = await query<{
    host: string;
    table: string;
    isReadonly: number;
    expired: number;
    delay: number;
    lost: number;
  }>(
    `SELECT hostName() AS host, table, is_readonly AS isReadonly, is_session_expired AS expired,
      absolute_delay AS delay, total_replicas - active_replicas AS lost
    FROM clusterAllReplicas(${sqlString(cluster)}, system.replicas) WHERE database = currentDatabase()
      AND (is_readonly OR is_session_expired OR absolute_delay > ${MAX_DELAY_SECONDS} OR active_replicas < total_replicas)
    ORDER BY host, table`,
  );
  return rows.map(({ host, table, isReadonly, expired, delay, lost }) => {
    const subject = `${table} on ${host}`;
    if (expired === 1 || isReadonly === 1)
      return finding(
        subject,
        "the replica takes no inserts",
        "check the server's connection to Keeper, then SYSTEM RESTART REPLICA",
      );
    if (lost > 0)
      return finding(
        subject,
        `${lost} of its replicas are not active`,
        "start them, or SYSTEM DROP REPLICA what is gone for good",
      );
    return finding(subject, `the replica is ${delay} s behind`, "check system.replication_queue");
  });
}

/** Inserts of ours wait for the shards, so a queue is either somebody else's or from before. */
async function checkQueues(query: StoreQuery, cluster: string): Promise<StoreFinding[]> {
  const rows = await query<{ host: string; table: string; files: number; broken: number; blocked: number }>(
    `SELECT hostName() AS host, table, data_files AS files, broken_data_files AS broken, is_blocked AS blocked
    FROM clusterAllReplicas(${sqlString(cluster)}, system.distribution_queue)
    WHERE database = currentDatabase() AND (data_files > 0 OR broken_data_files > 0 OR is_blocked) ORDER BY host, table`,
  );
  return rows.map(({ host, table, files, broken }) =>
    finding(
      `${table} on ${host}`,
      `${files} files wait for other shards, ${broken} are broken`,
      "SYSTEM FLUSH DISTRIBUTED, and check system.distribution_queue",
    ),
  );
}

const finding = (subject: string, problem: string, advice: string): StoreFinding => ({
  code: "cluster",
  subject,
  problem,
  advice,
});
