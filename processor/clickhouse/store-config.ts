import { readFile } from "node:fs/promises";

import { z } from "zod";

import { numeric } from "../numeric-setting.ts";
import { parseRetention, type Retention } from "./retention/retention.ts";
import type { StoreOptions } from "./store.ts";

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { error: "must be a plain name" });

/** The store's part of the service configuration, to spread into its schema. */
export const storeConfigShape = {
  /** Name of a cluster in the server's `remote_servers`; the tables are then sharded and replicated. Default: one server. */
  clickhouseCluster: identifier.optional(),
  /** Replicas of a shard that must have a block before it counts as stored. Default `auto`: the majority. */
  clickhouseInsertQuorum: z.union([z.literal("auto"), numeric(z.int().min(1).max(100))]).optional(),
  /** PEM file of certificate authorities to trust for an `https:` server. Default: those of the runtime. */
  clickhouseCaFile: z.string().min(1).optional(),
  /** Days that rows stay in every table `retention` does not name. Default: for ever. */
  retentionDays: numeric(z.int().min(1).max(36_500)).optional(),
  /** Days by table and project: JSON, or a file of JSON. */
  retention: z.string().min(1).optional(),
} as const;

const fragment = z.object(storeConfigShape);
export type StoreConfig = Readonly<z.output<typeof fragment>>;

/** Variable of each key, to merge into the service's table. */
export const STORE_VARIABLES: Readonly<Record<string, keyof StoreConfig>> = {
  RUNPROOF_CLICKHOUSE_CLUSTER: "clickhouseCluster",
  RUNPROOF_CLICKHOUSE_INSERT_QUORUM: "clickhouseInsertQuorum",
  RUNPROOF_CLICKHOUSE_SERVER_CA_FILE: "clickhouseCaFile",
  RUNPROOF_RETENTION_DAYS: "retentionDays",
  RUNPROOF_RETENTION: "retention",
};

/** What the configuration says of the store, with the files it names read. */
export interface StoreSettings {
  /** To spread into the options of the store and of the inserts. */
  readonly options: Pick<StoreOptions, "cluster" | "ca">;
  readonly retention: Retention;
}

/** @throws Error with every problem */
export async function storeSettingsFrom(config: StoreConfig): Promise<StoreSettings> {
  const [ca, retention] = await Promise.allSettled([caFrom(config), retentionFrom(config)]);
  const problems = [ca, retention].flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
  if (ca.status === "rejected" || retention.status === "rejected") {
    throw new Error(problems.map(({ message }) => message).join("\n"), { cause: problems[0] });
  }
  const { clickhouseCluster: cluster, clickhouseInsertQuorum: insertQuorum } = config;
  return {
    options: {
      ...(cluster !== undefined && { cluster: { cluster, ...(insertQuorum !== undefined && { insertQuorum }) } }),
      ...(ca.value !== undefined && { ca: ca.value }),
    },
    retention: retention.value,
  };
}

/** The same from variables alone, for commands that need no service. @throws Error with every problem */
export async function storeSettingsFromEnv(env: Readonly<Record<string, string | undefined>>): Promise<StoreSettings> {
  const given = Object.entries(STORE_VARIABLES).flatMap(([variable, key]) =>
    env[variable] ? [[key, env[variable]]] : [],
  );
  const parsed = fragment.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error), { cause: parsed.error });
  return storeSettingsFrom(parsed.data);
}

async function caFrom({ clickhouseCaFile: file }: StoreConfig): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`clickhouseCaFile: ${file} cannot be read`, { cause: error });
  }
}

async function retentionFrom({ retention, retentionDays }: StoreConfig): Promise<Retention> {
  const general = retentionDays ?? "forever";
  if (retention === undefined) return parseRetention({}, general);
  const isText = retention.trimStart().startsWith("{");
  const source = isText ? "the JSON" : `the file ${retention}`;
  try {
    return parseRetention(JSON.parse(isText ? retention : await readFile(retention, "utf8")), general);
  } catch (error) {
    throw new Error(`retention: ${source} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
