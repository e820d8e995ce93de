import { accessDenied, EngineError } from "./engine-error.ts";
import type { EngineRequest } from "./engine-request.ts";
import type { EngineResult } from "./engine-sessions.ts";
import { PROJECT_DATABASE } from "./project-tables.ts";
import { isPunctuation, isWord, lexSql, type SqlToken } from "./sql-text.ts";

/**
 * What is refused to a project reader before the engine's own rights and row policies decide. Those hold the rows apart; this
 * keeps back what tells of others without showing a row: figures of whole tables, of the process, of stored blocks.
 *
 * @throws EngineError ACCESS_DENIED
 */
export function assertProjectReadable(sql: string): void {
  const tokens = lexSql(sql);
  const [first, second] = tokens;
  if (isWord(first, "SHOW") && isWord(second, "TABLES") && tokens.length === 2) return;
  tokens.forEach((token, index) => assertOwn(token, tokens.slice(index + 1, index + 4)));
}

/** Of databases that show what others do. Refused wherever the name stands, so that no spelling is overlooked. */
const FOREIGN_NAMES: ReadonlySet<string> = new Set(["system", "information_schema"]);

/** They tell how many rows of others lie between one's own. */
const BLOCK_FUNCTIONS: ReadonlySet<string> = new Set([
  "blocknumber",
  "blockserializedsize",
  "blocksize",
  "dumpcolumnstructure",
  "lowcardinalityindices",
  "lowcardinalitykeys",
  "rownumberinblock",
]);

function assertOwn(token: SqlToken, following: readonly SqlToken[]): void {
  const [next, afterNext, third] = following;
  if (isWord(token, "EXPLAIN", "SHOW")) throw accessDenied(`${token.text.toUpperCase()} is for all projects`);
  // A name that comes as a parameter is one that nobody has looked at.
  if (isPunctuation(token, "{") && isPunctuation(afterNext, ":") && isWord(third, "IDENTIFIER")) {
    throw accessDenied("names as parameters are for all projects");
  }
  if (isWord(token, "FORMAT") && isName(next)) assertQuietFormat(next.text);
  if (!isName(token)) return;
  const name = token.text.toLowerCase();
  if (FOREIGN_NAMES.has(name)) throw accessDenied(`${name} is for all projects`);
  if (BLOCK_FUNCTIONS.has(name)) throw accessDenied(`function ${name} is for all projects`);
  if (/^(?:dict|joinget)/.test(name) && isPunctuation(next, "(")) throw accessDenied(`function ${name} names a table`);
  if (name === "merge" && isPunctuation(next, "(")) throw accessDenied("table function merge is for all projects");
}

const isName = (token: SqlToken | undefined): token is SqlToken =>
  token?.kind === "word" || token?.kind === "quoted-name";

/** Formats that hold rows and nothing else. Others print how many rows were read to find them. */
const QUIET_FORMATS =
  /^(?:Arrow|ArrowStream|Avro|BSONEachRow|CSV\w*|CustomSeparated\w*|JSON\w*|LineAsString|Markdown|MsgPack|Native|NDJSON|Null|ORC|Parquet|Pretty\w*|RowBinary\w*|TSKV|TSV\w*|TabSeparated\w*|Values|Vertical|XML)$/i;

function assertQuietFormat(format: string): void {
  if (!QUIET_FORMATS.test(format) || /progress/i.test(format)) throw accessDenied(`format ${format.slice(0, 64)}`);
}

/** The statement with `default.` standing for the reader's own database, where its tables have the same names. */
export function inProjectDatabase(sql: string): string {
  const tokens = lexSql(sql);
  let text = "";
  let done = 0;
  tokens.forEach((token, index) => {
    if (
      !isName(token) ||
      token.text !== "default" ||
      !isPunctuation(tokens[index + 1], ".") ||
      isPunctuation(tokens[index - 1], ".")
    )
      return;
    text += sql.slice(done, token.start) + PROJECT_DATABASE;
    done = token.end;
  });
  return text + sql.slice(done);
}

/** Checks what stands beside the statement. @throws EngineError UNKNOWN_DATABASE, ACCESS_DENIED or UNKNOWN_SETTING */
export function assertProjectRequest({ database, defaultFormat, settings }: EngineRequest): void {
  if (database !== undefined && database !== "default" && database !== PROJECT_DATABASE) {
    throw new EngineError(81, "UNKNOWN_DATABASE", `Database ${database.slice(0, 64)} does not exist.`);
  }
  if (defaultFormat !== undefined) assertQuietFormat(defaultFormat);
  for (const name of settings.keys()) {
    if (!COUNTING_SETTINGS.test(name)) continue;
    throw new EngineError(115, "UNKNOWN_SETTING", `Setting ${name} is unknown or not available here.`);
  }
}

/** Their errors or output tell how much was read, and so what others have stored. */
const COUNTING_SETTINGS =
  /^(?:max_rows_to_read|max_bytes_to_read|read_overflow_mode|max_memory_usage|output_format_write_statistics|format_template_.*)$/;

/** Settings of a project reader's session, over what the request asks for. */
export const PROJECT_SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ["output_format_write_statistics", "0"],
  // What one reader's filter found out about a block must not answer for another's.
  ["use_query_condition_cache", "0"],
];

/** Without the figures of reading, which count rows of all projects. */
export const withoutFigures = (result: EngineResult): EngineResult => ({ ...result, rowsRead: 0, bytesRead: 0 });

/** Without the places where it happened (parts, paths) and how much memory others use. */
export function withoutInternals(error: EngineError): EngineError {
  const isMemory = error.type === "MEMORY_LIMIT_EXCEEDED";
  const message = isMemory ? "Memory limit exceeded" : error.message.replaceAll(INTERNALS, "").replace(/\.$/, "");
  return new EngineError(error.code, error.type, message);
}

/** Where it happened depends on how rows of all projects lie (measured); the way there ends the message. */
const INTERNALS = /:? ?\((?:while reading|in file\/uri) [^)]*\)|: while executing .*$/gis;
