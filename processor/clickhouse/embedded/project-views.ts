import type { EngineSessions } from "./engine-sessions.ts";
import { PROJECT_DATABASE, PROJECT_ROWS_USER, PROJECT_TABLES, type ProjectTable } from "./project-tables.ts";
import { sqlName, sqlString } from "./sql-text.ts";

/** The views through which project readers see the stored tables. */
export interface ProjectViews {
  /** Makes them fit the tables as they are now. Cheap when nothing changed. */
  ready(): Promise<void>;
  /** A table may have changed. */
  invalidate(): void;
}

/**
 * A row policy alone is not enough (chDB 3.4.0): a function on a LowCardinality column is computed for the whole dictionary of
 * a part, other projects' values included, and `factorial(20 + (ServiceName = 'x'))` fails or not by what they are. The views
 * hand such columns on as plain strings. They also have no virtual columns, and the reader no right to the tables.
 */
export function createProjectViews(sessions: Pick<EngineSessions, "run">): ProjectViews {
  const made = new Map<string, string>();
  let current: Promise<void> | undefined;

  const run = async (sql: string): Promise<string> => {
    const result = await sessions.run({ sql, role: "service", settings: new Map(), format: "JSONCompactEachRow" });
    return Buffer.from(result.bytes).toString();
  };

  async function make(): Promise<void> {
    await run(`CREATE DATABASE IF NOT EXISTS ${PROJECT_DATABASE} ENGINE = Memory`);
    for (const [table, rule] of Object.entries(PROJECT_TABLES)) {
      const columns = columnsFrom(await run(columnsSql(table)));
      const definition = columns.some(({ name }) => name === rule.column) ? viewSql(table, rule, columns) : undefined;
      if (definition === made.get(table)) continue;
      await run(`DROP VIEW IF EXISTS ${PROJECT_DATABASE}.${table}`);
      made.delete(table);
      if (definition === undefined) continue;
      await run(definition);
      made.set(table, definition);
    }
  }

  return {
    ready() {
      const making = (current ??= make());
      making.catch(() => {
        if (current === making) current = undefined;
      });
      return making;
    },
    invalidate() {
      // One change after the other: two makers at once would drop each other's views.
      const before = current;
      current = before?.catch(() => undefined).then(make);
      current?.catch(() => {
        current = undefined;
      });
    },
  };
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Aliases are computed from the others, and would bring their types in by the back door. */
const columnsSql = (table: string): string => `
  SELECT name, type FROM system.columns
  WHERE database = 'default' AND table = ${sqlString(table)} AND default_kind NOT IN ('ALIAS', 'EPHEMERAL') ORDER BY position`;

const columnsFrom = (lines: string): Column[] =>
  lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name, type] = JSON.parse(line) as [string, string];
      return { name, type };
    });

function viewSql(table: string, { isReplacing }: ProjectTable, columns: readonly Column[]): string {
  const selected = columns.map(({ name, type }) => {
    const plain = type.replaceAll(/LowCardinality\((\w+|Nullable\(\w+\))\)/g, "$1");
    if (plain === type) return sqlName(name);
    return `CAST(${sqlName(name)}, ${sqlString(plain)}) AS ${sqlName(name)}`;
  });
  return (
    `CREATE VIEW ${PROJECT_DATABASE}.${table} DEFINER = ${PROJECT_ROWS_USER} SQL SECURITY DEFINER AS ` +
    `SELECT ${selected.join(", ")} FROM default.${table}${isReplacing ? " FINAL" : ""}`
  );
}
