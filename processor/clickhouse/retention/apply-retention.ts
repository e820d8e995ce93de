import { isWord, lexSql, sqlName, sqlString } from "../embedded/sql-text.ts";
import type { DdlTarget } from "../migrations/apply-migrations.ts";
import { topLevel } from "../migrations/sql-edit.ts";
import { DDL_SETTINGS, storedName } from "../topology.ts";
import { RETAINED_TABLES, type Retention } from "./retention.ts";
import { tableTtl, type TableTtl } from "./table-ttl.ts";

/** Comment of a table whose TTL we set. A TTL that somebody else set is left alone until a rule names the table. */
export const RETENTION_MARK = "retention set by runproof";

/**
 * Makes the TTL of every table what the rules say, and says what it changed. Nothing is sent for a table that is as it
 * should be: a new TTL costs a pass over the table's times.
 *
 * Rows go with the merges that follow, within hours, not at once.
 */
export async function applyRetention(target: DdlTarget, retention: Retention): Promise<string[]> {
  const changes: string[] = [];
  for (const { table, wanted } of await ttlDifferences(target, retention)) {
    for (const command of commandsFor(table, wanted)) await alter(target, table, command);
    changes.push(wanted.expression === undefined ? `${table}: kept for ever` : `${table}: TTL ${wanted.expression}`);
  }
  return changes;
}

/** A table whose TTL is not what the rules say. */
export interface TtlDifference {
  readonly table: string;
  readonly wanted: TableTtl;
  /** What stands after `TTL` now. */
  readonly found: string | undefined;
}

export async function ttlDifferences(
  target: Pick<DdlTarget, "query" | "cluster">,
  retention: Retention,
): Promise<TtlDifference[]> {
  const stored = await storedTables(target);
  const compared = Object.keys(RETAINED_TABLES).flatMap((table) => {
    const found = stored.get(storedName(table, target.cluster));
    return found === undefined ? [] : [{ table, wanted: tableTtl(table, retention), found }];
  });
  const ttls = compared.flatMap(({ wanted, found }) => [wanted.expression ?? "", found.ttl ?? ""]);
  const spelled = await canonical(target, ttls);
  return compared.flatMap(({ table, wanted, found }, index) => {
    const isSame = spelled[index * 2] === spelled[index * 2 + 1];
    const isNotOurs = wanted.expression === undefined && found.comment !== RETENTION_MARK;
    return isSame || isNotOurs ? [] : [{ table, wanted, found: found.ttl }];
  });
}

/** The mark comes first and goes last, so that a TTL of ours never stands without it. */
function commandsFor(table: string, { expression, hasProjectRules }: TableTtl): string[] {
  if (expression === undefined) return ["REMOVE TTL", "MODIFY COMMENT ''"];
  const wholeParts = RETAINED_TABLES[table]?.daily === true && !hasProjectRules ? 1 : 0;
  return [
    `MODIFY COMMENT ${sqlString(RETENTION_MARK)}`,
    // Parts that are there learn their times of expiry without being written anew.
    `MODIFY SETTING ttl_only_drop_parts = ${wholeParts}, materialize_ttl_recalculate_only = 1`,
    `MODIFY TTL ${expression}`,
  ];
}

async function alter(target: DdlTarget, table: string, command: string): Promise<void> {
  const { cluster } = target;
  const where = cluster === undefined ? table : `${storedName(table, cluster)} ON CLUSTER ${sqlName(cluster.cluster)}`;
  await target.command(`ALTER TABLE ${where} ${command}`, cluster === undefined ? {} : DDL_SETTINGS);
}

interface StoredTable {
  readonly ttl: string | undefined;
  readonly comment: string;
}

async function storedTables(target: Pick<DdlTarget, "query">): Promise<Map<string, StoredTable>> {
  const sql = "SELECT name, engine_full, comment FROM system.tables WHERE database = currentDatabase()";
  const rows = await target.query<{ name: string; engine_full: string; comment: string }>(sql);
  return new Map(rows.map(({ name, engine_full, comment }) => [name, { ttl: ttlOf(engine_full), comment }]));
}

/** What stands between TTL and SETTINGS in a table's engine, as the server writes it. */
export function ttlOf(engine: string): string | undefined {
  const outside = topLevel(lexSql(engine));
  const from = outside.findIndex(({ token }) => isWord(token, "TTL"));
  if (from === -1) return undefined;
  const to = outside.find(({ token }, at) => at > from && isWord(token, "SETTINGS"))?.token.start;
  return engine.slice(outside[from]?.token.end, to).trim();
}

/** The server's own spelling of each, `''` of none. */
async function canonical(target: Pick<DdlTarget, "query">, ttls: readonly string[]): Promise<string[]> {
  const spelled = ttls.map((ttl) =>
    ttl === "" ? "''" : `formatQuerySingleLine(${sqlString(`ALTER TABLE t MODIFY TTL ${ttl}`)})`,
  );
  const [row] = await target.query<{ spelled: string[] }>(`SELECT [${spelled.join(", ")}] AS spelled`);
  return row?.spelled ?? [];
}
