import { accessDenied, EngineError, syntaxError } from "./engine-error.ts";
import { isPunctuation, isWord, tokensOf, type SqlToken } from "./sql-text.ts";

/** An `INSERT` whose rows come as data, taken apart. */
export interface DataInsert {
  /** Table as written, quotes included. */
  readonly table: string;
  /** Column list as written without the brackets, when there is one. */
  readonly columns?: string;
  /** `SETTINGS` clause as written, without the keyword. */
  readonly settings?: string;
  readonly format: string;
  /** Data that stood in the statement after the format. The rest is the request body. */
  readonly inlineData: string;
}

/** Input formats that only parse bytes: no schema files, no paths, no shell. */
const INPUT_FORMATS: ReadonlyMap<string, string> = new Map(
  `
    Values JSON JSONEachRow JSONLines NDJSON JSONStringsEachRow JSONCompact JSONColumns JSONObjectEachRow
    JSONColumnsWithMetadata JSONCompactColumns JSONCompactEachRow JSONCompactEachRowWithNames
    JSONCompactEachRowWithNamesAndTypes JSONCompactStringsEachRow JSONCompactStringsEachRowWithNames
    JSONCompactStringsEachRowWithNamesAndTypes CSV CSVWithNames CSVWithNamesAndTypes TSV TSVWithNames
    TSVWithNamesAndTypes TSVRaw TabSeparated TabSeparatedWithNames TabSeparatedWithNamesAndTypes
    TabSeparatedRaw TSKV CustomSeparated CustomSeparatedWithNames CustomSeparatedWithNamesAndTypes
    LineAsString Native RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes Parquet Arrow ArrowStream ORC
    Avro MsgPack BSONEachRow
  `
    .trim()
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

export function isInsert(sql: string): boolean {
  const { value } = tokensOf(sql).next();
  return value !== undefined && isWord(value, "INSERT");
}

/**
 * Takes an `INSERT … FORMAT x <data>` or `INSERT … VALUES <data>` apart. `undefined` for `INSERT … SELECT`, which has
 * no data. The data itself is never lexed.
 * @throws EngineError for `INTO FUNCTION`, `FROM INFILE` and formats that are not on the list.
 */
export function parseDataInsert(sql: string): DataInsert | undefined {
  const tokens = lexPrefix(sql);
  let at = 1;
  if (!isWord(tokens[at++], "INTO")) throw syntaxError("INSERT without INTO");
  if (isWord(tokens[at], "TABLE")) at++;
  if (isWord(tokens[at], "FUNCTION")) throw accessDenied("INSERT INTO FUNCTION");
  const tableEnd = endOfTable(tokens, at);
  const table = textOf(sql, tokens.slice(at, tableEnd));
  at = tableEnd;
  let columns: string | undefined;
  if (isPunctuation(tokens[at], "(") && !isWord(tokens[at + 1], "SELECT", "WITH")) {
    const close = closingBracket(tokens, at);
    columns = textOf(sql, tokens.slice(at + 1, close));
    at = close + 1;
  }
  const clauseStart = at;
  at = tokens.findIndex((token, index) => index >= clauseStart && isWord(token, ...DATA_KEYWORDS));
  const keyword = tokens[at];
  if (keyword === undefined || isWord(keyword, "SELECT", "WITH")) return undefined;
  if (isWord(keyword, "FROM")) throw accessDenied("INSERT FROM INFILE");
  const settings = isWord(tokens[clauseStart], "SETTINGS") ? textOf(sql, tokens.slice(clauseStart + 1, at)) : undefined;
  const source = dataSource(sql, tokens, at);
  return { table, ...(columns !== undefined && { columns }), ...(settings !== undefined && { settings }), ...source };
}

const DATA_KEYWORDS = ["FORMAT", "VALUES", "SELECT", "WITH", "FROM"] as const;

function dataSource(sql: string, tokens: readonly SqlToken[], at: number): Pick<DataInsert, "format" | "inlineData"> {
  const keyword = tokens[at] as SqlToken;
  if (isWord(keyword, "VALUES")) {
    const format = "Values";
    return { format, inlineData: sql.slice(keyword.end).replace(/;\s*$/, "") };
  }
  const name = tokens[at + 1];
  const format = INPUT_FORMATS.get(name?.text.toLowerCase() ?? "");
  if (name === undefined || format === undefined) {
    throw new EngineError(73, "UNKNOWN_FORMAT", `Format ${name?.text ?? ""} cannot be inserted here.`);
  }
  return { format, inlineData: sql.slice(name.end).replace(/^\s/, "") };
}

/** Lexes up to the data: what follows `VALUES` or `FORMAT x` is not SQL and may hold lone quotes. */
function lexPrefix(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let depth = 0;
  for (const token of tokensOf(sql)) {
    const isFormatName = isWord(tokens.at(-1), "FORMAT");
    tokens.push(token);
    if (isPunctuation(token, "(")) depth++;
    if (isPunctuation(token, ")")) depth--;
    if (depth === 0 && (isFormatName || isWord(token, "VALUES"))) break;
  }
  return tokens;
}

function endOfTable(tokens: readonly SqlToken[], start: number): number {
  const isName = (token: SqlToken | undefined) => token?.kind === "word" || token?.kind === "quoted-name";
  if (!isName(tokens[start])) throw syntaxError("INSERT without a table");
  const isQualified = isPunctuation(tokens[start + 1], ".") && isName(tokens[start + 2]);
  return isQualified ? start + 3 : start + 1;
}

function closingBracket(tokens: readonly SqlToken[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (isPunctuation(tokens[i], "(")) depth++;
    if (isPunctuation(tokens[i], ")") && --depth === 0) return i;
  }
  throw syntaxError("bracket is not closed");
}

/** The statement's text from the first to the last of these tokens. */
function textOf(sql: string, tokens: readonly SqlToken[]): string {
  const first = tokens[0];
  const last = tokens.at(-1);
  return first === undefined || last === undefined ? "" : sql.slice(first.start, last.end);
}
