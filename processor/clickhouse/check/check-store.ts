import { text } from "node:stream/consumers";

import type { ClickHouseClient } from "@clickhouse/client";

import { ttlDifferences } from "../retention/apply-retention.ts";
import type { Retention } from "../retention/retention.ts";
import { readMigrations } from "../schema.ts";
import { StoreAccessError, explainedStoreError } from "../store-access-error.ts";
import { createStoreClient, queryRows, type StoreOptions } from "../store.ts";
import { checkCluster } from "./check-cluster.ts";
import { checkMigrations } from "./check-migrations.ts";
import { type AskPlain, checkRights } from "./check-rights.ts";
import { checkSettings } from "./check-settings.ts";
import { checkTables } from "./check-tables.ts";
import type { StoreFinding, StoreQuery } from "./finding.ts";
import { type ExpectedSchema, schemaFromMigrations } from "./schema-from-migrations.ts";

export interface StoreCheckOptions extends StoreOptions {
  /** Rules that the tables' TTL is compared with. Default: not compared. */
  readonly retention?: Retention;
  /** Somebody who only reads: rights and settings for writing are not asked for. Default false. */
  readonly asReader?: boolean;
}

/** What a check found out. `findings` is empty when the service can work with the store. */
export interface StoreReport {
  /** Without user and password. */
  readonly url: string;
  readonly database: string;
  readonly cluster: string | null;
  /** `null` when the store did not say. */
  readonly version: string | null;
  readonly user: string;
  readonly findings: readonly StoreFinding[];
}

/** The oldest server that has everything the inserts rely on: tokens that reach dependent views. */
const MINIMUM_VERSION = [24, 8] as const;
/** Times of the store are seconds, deadlines minutes. */
const MAX_CLOCK_DIFFERENCE_MILLIS = 2_000;

/**
 * Compares a store with what this version of runproof needs. Changes nothing. Rejects with a StoreAccessError
 * `unreachable` when nobody answers; everything a store answers with is a finding.
 */
export async function checkStore(options: StoreCheckOptions): Promise<StoreReport> {
  const client = createStoreClient(options);
  const { username: user = "default", database = "default", cluster } = options;
  const report = { url: new URL(options.url).origin, database, cluster: cluster?.cluster ?? null, user };
  try {
    const greeting = await greet(client);
    const findings = [...greeting.findings, ...(await inspect(client, options))];
    return { ...report, version: greeting.version, findings };
  } catch (error) {
    const explained = explainedStoreError(error, options);
    if (!(explained instanceof StoreAccessError) || explained.code === "unreachable") throw explained;
    return { ...report, version: null, findings: [accessFinding(explained)] };
  } finally {
    await client.close();
  }
}

async function inspect(client: ClickHouseClient, options: StoreCheckOptions): Promise<StoreFinding[]> {
  const { cluster, retention, asReader = false } = options;
  const query: StoreQuery = (sql, parameters) => queryRows(client, sql, parameters);
  const migrations = await readMigrations(options.migrationsDirectory);
  const expected = schemaFromMigrations(migrations.flatMap(({ statements }) => statements));
  return [
    ...(asReader ? [] : await checkUser(client, options, expected)),
    ...(await checkMigrations(query, migrations)),
    ...(await checkTables(query, expected, cluster)),
    ...(retention === undefined ? [] : await checkRetention(query, options, retention)),
    ...(cluster === undefined ? [] : await checkCluster(query, cluster)),
  ];
}

/** A profile that only reads takes every right away, so those are not told one by one. */
async function checkUser(
  client: ClickHouseClient,
  { username = "default", database = "default", cluster }: StoreCheckOptions,
  { tables }: ExpectedSchema,
): Promise<StoreFinding[]> {
  const engines = new Set([...tables.values()].map(({ engine }) => engine));
  const settings = await checkSettings((sql, parameters) => queryRows(client, sql, parameters));
  if (settings.some(({ subject }) => subject === "readonly")) return settings;
  return [...settings, ...(await checkRights(askPlain(client), { database, username, cluster, engines }))];
}

function askPlain(client: ClickHouseClient): AskPlain {
  return async (query) => text((await client.exec({ query })).stream);
}

/** Version and clock. Without the settings of a cluster, which an old server may not know. */
async function greet(client: ClickHouseClient): Promise<{ version: string; findings: StoreFinding[] }> {
  const before = Date.now();
  const [row] = await queryRows<{ version: string; now: number }>(
    client,
    "SELECT version() AS version, toUnixTimestamp64Milli(now64(3)) AS now",
  );
  const after = Date.now();
  const { version, now } = row ?? { version: "", now: before };
  return { version, findings: [...checkVersion(version), ...checkClock(now, before, after)] };
}

function checkVersion(version: string): StoreFinding[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [minMajor, minMinor] = MINIMUM_VERSION;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return [];
  const problem = `ClickHouse ${version} is older than ${MINIMUM_VERSION.join(".")}`;
  return [{ code: "version", subject: "server", problem, advice: "update the server" }];
}

/** The server read its clock between the two times. */
function checkClock(now: number, before: number, after: number): StoreFinding[] {
  const difference = now < before ? now - before : now > after ? now - after : 0;
  if (Math.abs(difference) <= MAX_CLOCK_DIFFERENCE_MILLIS) return [];
  const problem = `it is ${(Math.abs(difference) / 1_000).toFixed(1)} s ${difference < 0 ? "behind" : "ahead of"} ours`;
  return [{ code: "clock", subject: "clock", problem, advice: "synchronise both clocks (NTP)" }];
}

async function checkRetention(
  query: StoreQuery,
  { cluster }: StoreOptions,
  retention: Retention,
): Promise<StoreFinding[]> {
  const differences = await ttlDifferences({ query, ...(cluster && { cluster }) }, retention);
  return differences.map(({ table, wanted, found }) => ({
    code: "ttl",
    subject: table,
    problem: `the TTL is ${found ?? "not set"}, the rules say ${wanted.expression ?? "none"}`,
    advice: "start the service with these rules, which applies them",
  }));
}

const accessFinding = (error: StoreAccessError): StoreFinding => {
  const [problem = "", ...advice] = error.message.split("; ");
  return { code: "access", subject: error.code, problem, advice: advice.join("; ") };
};
