import type { EngineSessions } from "./engine-sessions.ts";
import { isWord, tokensOf } from "./sql-text.ts";

/** A column as `DESCRIBE TABLE` tells it. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly default_type: string;
  readonly default_expression: string;
}

/** Columns of tables, asked of the engine once: a `DESCRIBE` costs as much as a small insert (measured). */
export interface TableColumns {
  /** `table` as the statement spells it. */
  of(table: string, database: string | undefined): Promise<readonly Column[]>;
  /** Asks again from now on; an answer under way is not kept. */
  forget(): void;
}

/** Far more tables than we have; a bound all the same. */
const MAX_TABLES = 256;

export function createTableColumns(sessions: Pick<EngineSessions, "run">): TableColumns {
  let known = new Map<string, Promise<readonly Column[]>>();
  return {
    of(table, database) {
      const key = JSON.stringify([database ?? null, table]);
      const found = known.get(key);
      if (found !== undefined) return found;
      const asked = describeTable(sessions, table, database);
      if (known.size < MAX_TABLES) known.set(key, asked);
      return asked;
    },
    forget() {
      known = new Map();
    },
  };
}

async function describeTable(
  sessions: Pick<EngineSessions, "run">,
  table: string,
  database: string | undefined,
): Promise<readonly Column[]> {
  const result = await sessions.run({
    sql: `DESCRIBE TABLE ${table}`,
    role: "service",
    settings: new Map([["output_format_json_quote_64bit_integers", "1"]]),
    format: "JSONEachRow",
    ...(database !== undefined && { database }),
  });
  const text = Buffer.from(result.bytes).toString();
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Column]));
}

/** Whether a table may have other columns afterwards. Of an unknown statement it is assumed. */
export function mayChangeTables(sql: string): boolean {
  const { value } = tokensOf(sql).next();
  return value === undefined || !isWord(value, "SELECT", "WITH", "INSERT", "SHOW", "DESCRIBE", "EXISTS", "EXPLAIN");
}
