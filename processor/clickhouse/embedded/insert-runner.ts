import { open, rm } from "node:fs/promises";
import { join } from "node:path";

import { newRowsFileName, writeAll } from "../rows-file.ts";
import { EngineError, engineErrorFrom } from "./engine-error.ts";
import type { EngineResult, EngineSessions } from "./engine-sessions.ts";
import type { DataInsert } from "./insert-statement.ts";
import { type Column, createTableColumns, type TableColumns } from "./table-columns.ts";
import { isPunctuation, isWord, lexSql, sqlName, sqlString } from "./sql-text.ts";

export interface InsertRequest {
  readonly insert: DataInsert;
  readonly body: AsyncIterable<Uint8Array>;
  readonly settings: ReadonlyMap<string, string>;
  readonly database?: string;
  /** File of the inbox, left there by the service, that holds the rows; the body is empty then. */
  readonly rowsFile?: string;
}

/**
 * Inserts foreign bytes. chDB's own insert call executes the text after a blank line of the payload as SQL, so the
 * bytes go to a file that the engine reads as data and nothing else.
 */
export interface InsertRunner {
  run(request: InsertRequest): Promise<EngineResult>;
  /** To be called after every statement that may have changed a table. */
  forgetTables(): void;
}

export function createInsertRunner(sessions: EngineSessions, inboxDirectory: string): InsertRunner {
  const tables = createTableColumns(sessions);
  return {
    async run(request) {
      const file = join(inboxDirectory, request.rowsFile ?? newRowsFileName());
      try {
        if (request.rowsFile === undefined) await writeFile(file, inlineThenBody(request));
        const columns = await insertColumns(tables, request);
        return await sessions.run({
          sql: insertSql(request.insert, columns, file),
          role: "service",
          settings: withInsertSettings(request.settings),
          ...(request.database !== undefined && { database: request.database }),
        });
      } catch (error) {
        // Whatever the reason, the next insert asks again.
        tables.forget();
        throw withoutPath(error, file);
      } finally {
        await rm(file, { force: true });
      }
    },
    forgetTables: () => tables.forget(),
  };
}

const WRITE_BYTES = 4 * 1024 * 1024;

/** In few large writes: a stream's many small ones cost more than the rest of the request (measured). */
async function writeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    let waiting: Uint8Array[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      if (bytes === 0) return;
      if (!(await writeAll(file, waiting)))
        throw new EngineError(243, "NOT_ENOUGH_SPACE", "The disk took only a part of the rows.");
      waiting = [];
      bytes = 0;
    };
    for await (const chunk of chunks) {
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= WRITE_BYTES) await flush();
    }
    await flush();
  } finally {
    await file.close();
  }
}

async function* inlineThenBody({ insert, body }: InsertRequest): AsyncGenerator<Uint8Array> {
  if (insert.inlineData !== "") yield Buffer.from(insert.inlineData);
  yield* body;
}

/** The columns the data holds, in its order, as the table declares them. */
async function insertColumns(tables: TableColumns, { insert, database }: InsertRequest): Promise<readonly Column[]> {
  const described = await tables.of(insert.table, database);
  const insertable = described.filter((column) => column.default_type === "" || column.default_type === "DEFAULT");
  if (insert.columns === undefined) return insertable;
  const { isExcept, names } = parseColumnList(insert.columns);
  if (isExcept) return insertable.filter((column) => !names.includes(column.name));
  return names.map((name) => {
    const column = insertable.find((candidate) => candidate.name === name);
    if (column === undefined) {
      throw new EngineError(16, "NO_SUCH_COLUMN_IN_TABLE", `No such column ${name} in table ${insert.table}.`);
    }
    return column;
  });
}

/** `a, b.c`, `*` or `* EXCEPT (a, b.c)`; a dotted name may be quoted as one or in its parts. */
function parseColumnList(list: string): { isExcept: boolean; names: string[] } {
  const names: string[] = [];
  let isExcept = false;
  let isContinued = false;
  for (const token of lexSql(list)) {
    if (isPunctuation(token, "*")) isExcept = true;
    else if (isPunctuation(token, ".")) isContinued = true;
    else if (token.kind === "word" || token.kind === "quoted-name") {
      if (isExcept && names.length === 0 && isWord(token, "EXCEPT")) continue;
      if (isContinued) names.push(`${names.pop()}.${token.text}`);
      else names.push(token.text);
      isContinued = false;
    }
  }
  return { isExcept, names };
}

function insertSql(insert: DataInsert, columns: readonly Column[], file: string): string {
  const names = columns.map((column) => sqlName(column.name)).join(", ");
  const structure = columns.map(declarationOf).join(", ");
  const settings = insert.settings === undefined ? "" : `SETTINGS ${insert.settings} `;
  const source = `file(${sqlString(file)}, ${sqlString(insert.format)}, ${sqlString(structure)}, 'none')`;
  return `INSERT INTO ${insert.table} (${names}) ${settings}SELECT * FROM ${source}`;
}

function declarationOf({ name, type, default_type, default_expression }: Column): string {
  return `${sqlName(name)} ${type}${default_type === "DEFAULT" ? ` DEFAULT ${default_expression}` : ""}`;
}

/**
 * One request becomes one block, in the order of its rows, so the deduplication token stands for all of it; and a token
 * that the engine could not honour is an error, never a silent duplicate.
 */
function withInsertSettings(settings: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const effective = new Map(settings);
  effective.set("min_insert_block_size_rows", "100000000");
  effective.set("min_insert_block_size_bytes", "0");
  effective.set("max_insert_threads", "1");
  effective.set("input_format_parquet_preserve_order", "1");
  // Merges build them: for a fresh part, which is small and soon merged, they cost more than the rows (files, mostly).
  effective.set("materialize_skip_indexes_on_insert", "0");
  if (effective.has("insert_deduplication_token")) effective.set("deduplicate_insert_select", "force_enable");
  return effective;
}

/** The file is ours: its path tells the client nothing. */
function withoutPath(error: unknown, file: string): Error {
  const engineError = engineErrorFrom(error);
  engineError.message = engineError.message.replaceAll(`: (in file/uri ${file})`, "").replaceAll(file, "request body");
  return engineError;
}
