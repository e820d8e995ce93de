import { lexSql } from "../embedded/sql-text.ts";
import { RETAINED_TABLES } from "../retention/retention.ts";
import { localName, storedName, type ClusterTopology } from "../topology.ts";
import { clause, CLAUSES, listItems, spelled } from "./ddl-tokens.ts";
import type { StoreFinding, StoreQuery } from "./finding.ts";
import type { ExpectedSchema, ExpectedTable } from "./schema-from-migrations.ts";

/** A table on the server. Keys and settings in the spelling of `spelled()`. */
export interface FoundTable {
  readonly engine: string;
  readonly sortingKey: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly ttl: string | undefined;
  readonly columns: ReadonlyMap<string, string>;
}

/** Settings of a table without which a promise of the service does not hold, and what then breaks. */
const PROMISES: Readonly<Record<string, string>> = {
  non_replicated_deduplication_window: "a block that is sent again is stored twice",
  fsync_after_insert: "an acknowledged row can be lost in a power cut",
  fsync_part_directory: "an acknowledged row can be lost in a power cut",
};

/** Everything in which the stored tables and views differ from what the migrations make. */
export async function checkTables(
  query: StoreQuery,
  expected: ExpectedSchema,
  cluster: ClusterTopology | undefined,
): Promise<StoreFinding[]> {
  const found = await foundTables(query);
  const tables = [...expected.tables].flatMap(([name, table]) => checkTable({ name, table, found, cluster }));
  const views = [...expected.views].flatMap(([view, target]) =>
    found.get(view)?.engine === "MaterializedView" ? [] : [missingView(view, target)],
  );
  return [...tables, ...views];
}

interface Compared {
  readonly name: string;
  readonly table: ExpectedTable;
  readonly found: ReadonlyMap<string, FoundTable>;
  readonly cluster: ClusterTopology | undefined;
}

function checkTable({ name, table, found, cluster }: Compared): StoreFinding[] {
  const stored = storedName(name, cluster);
  const names = stored === name ? [name] : [name, stored];
  return names.flatMap((one) => {
    const actual = found.get(one);
    if (actual === undefined) return [missingTable(one)];
    const engine = one === localName(name) || cluster === undefined || stored === name ? table.engine : "Distributed";
    const isReplicated = cluster !== undefined && engine !== "Distributed";
    const wantedEngine = isReplicated ? `Replicated${engine}` : engine;
    const engines = checkEngine(one, wantedEngine, actual);
    const hasStorage = engine !== "Distributed" && engines.length === 0;
    return [
      ...engines,
      ...checkColumns(one, table, actual),
      ...(hasStorage ? checkStorage(one, { table, actual, isReplicated }) : []),
    ];
  });
}

const missingTable = (table: string): StoreFinding => ({
  code: "table",
  subject: table,
  problem: "the table is missing",
  advice:
    "start the service, which applies the migrations; if they are recorded as applied, restore it from deploy/clickhouse",
});

const missingView = (view: string, target: string): StoreFinding => ({
  code: "view",
  subject: view,
  problem: `the materialized view is missing: new rows do not reach ${target}`,
  advice: `create it as in deploy/clickhouse, then fill ${target} with what came in meanwhile`,
});

function checkEngine(subject: string, wanted: string, { engine }: FoundTable): StoreFinding[] {
  // ClickHouse Cloud shows its own engine for every table of the family.
  if (engine === wanted || engine === `Shared${wanted}`) return [];
  const isOtherTopology = engine === "Distributed" || wanted === "Distributed" || engine === `Replicated${wanted}`;
  const problem = `the engine is ${engine}, expected ${wanted}`;
  const advice = isOtherTopology
    ? "RUNPROOF_CLICKHOUSE_CLUSTER does not say what these tables were made for; set it as it was, or use another database"
    : "make the table anew as in deploy/clickhouse and copy its rows";
  return [{ code: "engine", subject, problem, advice }];
}

function checkColumns(subject: string, { columns }: ExpectedTable, actual: FoundTable): StoreFinding[] {
  return [...columns].flatMap(([column, type]): StoreFinding[] => {
    const found = actual.columns.get(column);
    if (found === type) return [];
    const problem =
      found === undefined
        ? `the column is missing, expected ${compact(type)}`
        : `the type is ${compact(found)}, expected ${compact(type)}`;
    const verb = found === undefined ? "ADD" : "MODIFY";
    const advice = `ALTER TABLE ${subject} ${verb} COLUMN \`${column}\` ${compact(type)}, with the default and codec of deploy/clickhouse`;
    return [{ code: "column", subject: `${subject}.${column}`, problem, advice }];
  });
}

const compact = (type: string): string => type.replaceAll(/ ?([(),]) ?/g, "$1").replaceAll(",", ", ");

interface Storage {
  readonly table: ExpectedTable;
  readonly actual: FoundTable;
  readonly isReplicated: boolean;
}

function checkStorage(subject: string, { table, actual, isReplicated }: Storage): StoreFinding[] {
  const findings: StoreFinding[] = [];
  if (actual.sortingKey !== table.sortingKey) {
    const problem = `the sorting key is (${compact(actual.sortingKey)}), expected (${compact(table.sortingKey)})`;
    findings.push({
      code: "engine",
      subject,
      problem,
      advice: "make the table anew as in deploy/clickhouse and copy its rows",
    });
  }
  for (const [setting, breaks] of Object.entries(PROMISES)) {
    const wanted = table.settings.get(setting);
    const name = isReplicated ? setting.replace(/^non_/, "") : setting;
    const found = actual.settings.get(name) ?? "not set";
    // A larger window keeps the promise too.
    if (wanted === undefined || Number(found) >= Number(wanted)) continue;
    const advice = `ALTER TABLE ${subject} MODIFY SETTING ${name} = ${wanted}`;
    findings.push({
      code: "setting",
      subject: `${subject}.${name}`,
      problem: `it is ${found}, expected ${wanted}: ${breaks}`,
      advice,
    });
  }
  const isRetained = Object.keys(RETAINED_TABLES).some((name) => name === subject || localName(name) === subject);
  if (!isRetained && (actual.ttl === undefined) !== (table.ttl === undefined)) {
    const problem = table.ttl === undefined ? "rows of this table must stay, and it has a TTL" : "the TTL is missing";
    const advice = `ALTER TABLE ${subject} ${table.ttl === undefined ? "REMOVE TTL" : `MODIFY TTL ${table.ttl}`}`;
    findings.push({ code: "ttl", subject, problem, advice });
  }
  return findings;
}

/** Tables and views of the database by name. */
export async function foundTables(query: StoreQuery): Promise<Map<string, FoundTable>> {
  const tables = await query<{ name: string; engine: string; engine_full: string; sorting_key: string }>(
    "SELECT name, engine, engine_full, sorting_key FROM system.tables WHERE database = currentDatabase()",
  );
  const columns = await query<{ table: string; name: string; type: string }>(
    "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()",
  );
  const byTable = Map.groupBy(columns, ({ table }) => table);
  return new Map(
    tables.map(({ name, engine, engine_full, sorting_key }) => {
      const tokens = lexSql(engine_full);
      const ttl = clause(tokens, ["TTL"], CLAUSES);
      const settings = listItems(clause(tokens, ["SETTINGS"], []) ?? []);
      const table: FoundTable = {
        engine,
        sortingKey: spelled(lexSql(sorting_key)),
        settings: new Map(settings.map(([setting, , ...value]) => [setting?.text ?? "", spelled(value)])),
        ttl: ttl === undefined ? undefined : spelled(ttl),
        columns: new Map((byTable.get(name) ?? []).map((column) => [column.name, spelled(lexSql(column.type))])),
      };
      return [name, table];
    }),
  );
}
