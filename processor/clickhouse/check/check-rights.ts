import { ClickHouseError } from "@clickhouse/client";

import { sqlName } from "../embedded/sql-text.ts";
import type { ClusterTopology } from "../topology.ts";
import type { StoreFinding } from "./finding.ts";

/** The answer of a statement that takes no FORMAT, as text. */
export type AskPlain = (sql: string) => Promise<string>;

/** What a right is for. `ON` follows: the service's database, or everything. */
const NEEDED: readonly (readonly [privilege: string, use: string])[] = [
  ["SELECT", "reading runs and spans"],
  ["INSERT", "storing"],
  ["CREATE TABLE", "migrations"],
  ["CREATE VIEW", "migrations"],
  ["DROP TABLE", "migrations"],
  ["DROP VIEW", "migrations"],
  ["ALTER TABLE", "migrations and retention"],
  ["ALTER VIEW", "migrations"],
];

const NEEDED_ON_CLUSTER: readonly (readonly [privilege: string, use: string])[] = [
  ["CLUSTER", "statements ON CLUSTER"],
  ["REMOTE", "distributed tables"],
];

/** Whose rights, and on what. */
export interface RightsOf {
  readonly username: string;
  readonly database: string;
  readonly cluster: ClusterTopology | undefined;
  /** Of the tables on one server: `MergeTree`, … */
  readonly engines: ReadonlySet<string>;
}

interface Right {
  readonly privilege: string;
  readonly on: string;
  readonly use: string;
}

/** The rights the user lacks; empty on a server that cannot be asked. */
export async function checkRights(ask: AskPlain, of: RightsOf): Promise<StoreFinding[]> {
  const findings: StoreFinding[] = [];
  for (const { privilege, on, use } of neededRights(of)) {
    const held = await hasRight(ask, `${privilege} ON ${on}`);
    if (held === undefined) return [];
    if (held) continue;
    const problem = `user ${of.username} lacks it on ${on}, needed for ${use}`;
    const advice = `GRANT ${privilege} ON ${on} TO ${sqlName(of.username)}`;
    findings.push({ code: "right", subject: privilege, problem, advice });
  }
  return findings;
}

function neededRights({ database, cluster, engines }: RightsOf): Right[] {
  const onDatabase = NEEDED.map(([privilege, use]) => ({ privilege, use, on: `${sqlName(database)}.*` }));
  // Held by everybody where the server does not ask for rights on engines.
  const made = cluster === undefined ? [...engines] : ["Distributed", ...[...engines].map((one) => `Replicated${one}`)];
  const onEngines = made.map((on) => ({ privilege: "TABLE ENGINE", use: "migrations", on }));
  const onAll = NEEDED_ON_CLUSTER.map(([privilege, use]) => ({ privilege, use, on: "*.*" }));
  return [...onDatabase, ...onEngines, ...(cluster === undefined ? [] : onAll)];
}

async function hasRight(ask: AskPlain, right: string): Promise<boolean | undefined> {
  try {
    return (await ask(`CHECK GRANT ${right}`)).trim() === "1";
  } catch (error) {
    // The statement is younger than the oldest server that runproof works with.
    if (error instanceof ClickHouseError && (error.type === "SYNTAX_ERROR" || error.code === "62")) return undefined;
    throw error;
  }
}
