import { isPunctuation, isWord, lexSql, type SqlToken } from "../embedded/sql-text.ts";
import { startsWith } from "../migrations/sql-edit.ts";
import { clause, CLAUSES, insideBrackets, listItems, spelled } from "./ddl-tokens.ts";

/** A table as the migrations leave it. Types and keys are in the spelling of `spelled()`. */
export interface ExpectedTable {
  readonly engine: string;
  readonly columns: ReadonlyMap<string, string>;
  readonly sortingKey: string;
  readonly settings: ReadonlyMap<string, string>;
  /** It has a TTL of its own that no retention sets. */
  readonly ttl: string | undefined;
}

export interface ExpectedSchema {
  readonly tables: ReadonlyMap<string, ExpectedTable>;
  /** Tables that views write to, by the view. */
  readonly views: ReadonlyMap<string, string>;
}

/** The schema that the statements make, read from their text. Statements that only move rows change nothing. */
export function schemaFromMigrations(statements: readonly string[]): ExpectedSchema {
  const tables = new Map<string, ExpectedTable>();
  const views = new Map<string, string>();
  for (const tokens of statements.map(lexSql)) {
    if (startsWith(tokens, "CREATE", "TABLE")) tables.set(text(tokens[5]), createdTable(tokens.slice(6)));
    else if (startsWith(tokens, "CREATE", "MATERIALIZED")) views.set(text(tokens[6]), text(tokens[8]));
    else if (startsWith(tokens, "DROP", "TABLE")) tables.delete(text(tokens[4]));
    else if (startsWith(tokens, "DROP", "VIEW")) views.delete(text(tokens[4]));
    else if (startsWith(tokens, "ALTER", "TABLE")) {
      const table = tables.get(text(tokens[2]));
      if (table !== undefined) tables.set(text(tokens[2]), alteredTable(table, tokens.slice(3)));
    }
  }
  return { tables, views };
}

const text = (token: SqlToken | undefined): string => token?.text ?? "";

function createdTable(tokens: readonly SqlToken[]): ExpectedTable {
  const columns = listItems(insideBrackets(tokens, 0))
    .filter(([first]) => !isWord(first, "INDEX", "PROJECTION", "CONSTRAINT"))
    .flatMap(columnsFrom);
  const ttl = clause(tokens, ["TTL"], CLAUSES);
  return {
    engine: text(clause(tokens, ["ENGINE"], [])?.[1]),
    columns: new Map(columns),
    sortingKey: spelled(clause(tokens, ["ORDER", "BY"], CLAUSES) ?? []),
    settings: settingsFrom(clause(tokens, ["SETTINGS"], []) ?? []),
    ttl: ttl === undefined ? undefined : spelled(ttl),
  };
}

/** Name and type; a nested column is one array for each of its fields. */
function columnsFrom([name, ...definition]: readonly SqlToken[]): [string, string][] {
  const after = definition.findIndex((token) =>
    isWord(token, "MATERIALIZED", "ALIAS", "DEFAULT", "CODEC", "COMMENT", "TTL", "AFTER", "FIRST"),
  );
  const type = after === -1 ? definition : definition.slice(0, after);
  if (!isWord(type[0], "NESTED")) return [[text(name), spelled(type)]];
  return listItems(insideBrackets(type, 1)).map(([field, ...ofField]) => [
    `${text(name)}.${text(field)}`,
    `Array ( ${spelled(ofField)} )`,
  ]);
}

const settingsFrom = (tokens: readonly SqlToken[]): Map<string, string> =>
  new Map(listItems(tokens).map(([name, , ...value]): [string, string] => [text(name), spelled(value)]));

function alteredTable(table: ExpectedTable, tokens: readonly SqlToken[]): ExpectedTable {
  if (startsWith(tokens, "MODIFY", "SETTING")) {
    return { ...table, settings: new Map([...table.settings, ...settingsFrom(tokens.slice(2))]) };
  }
  return listItems(tokens).reduce(alteredBy, table);
}

function alteredBy(table: ExpectedTable, command: readonly SqlToken[]): ExpectedTable {
  const object = command.slice(2).findIndex((token) => !isWord(token, "IF", "NOT", "EXISTS")) + 2;
  const definition = command.slice(object);
  if (startsWith(command, "MODIFY", "ORDER", "BY")) return { ...table, sortingKey: spelled(command.slice(3)) };
  if (startsWith(command, "ADD", "COLUMN") || startsWith(command, "MODIFY", "COLUMN")) {
    return { ...table, columns: new Map([...table.columns, ...columnsFrom(definition)]) };
  }
  if (startsWith(command, "DROP", "COLUMN")) {
    const name = isPunctuation(definition[1], ".")
      ? `${text(definition[0])}.${text(definition[2])}`
      : text(definition[0]);
    return { ...table, columns: new Map([...table.columns].filter(([column]) => column !== name)) };
  }
  return table;
}
