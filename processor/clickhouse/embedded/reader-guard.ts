import { accessDenied, readonlyRefusal, syntaxError } from "./engine-error.ts";
import { isPunctuation, isWord, singleStatement, type SqlToken } from "./sql-text.ts";

/**
 * Table functions a reader may call: they compute or read stored tables. Everything else the engine knows (files,
 * network, other processes) is refused, so a function that a newer engine brings is refused too.
 */
const HARMLESS_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "format",
  "generaterandom",
  "generateseries",
  "generate_series",
  "merge",
  "null",
  "numbers",
  "numbers_mt",
  "primes",
  "values",
  "view",
  "zeros",
  "zeros_mt",
]);

/**
 * Scalar functions that read files, open connections or look into the process. They are refused as names, not only as
 * calls: `arrayMap(file, …)` and `APPLY file` need no bracket.
 */
const HARMFUL_FUNCTIONS: ReadonlySet<string> = new Set([
  "catboostevaluate",
  "file",
  "hascolumnintable",
  "reversednsquery",
  "showcertificate",
]);

const READ_STATEMENTS = ["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"] as const;

/** What a reader may not name, lower case. */
export interface RefusedNames {
  /** Refused as a call. */
  readonly tableFunctions: ReadonlySet<string>;
  /** Refused wherever the name stands. */
  readonly functions: ReadonlySet<string>;
}

/** From the engine's own lists: `system.table_functions`, and `system.functions` of the categories AI and Introspection. */
export function refusedNames(tableFunctions: readonly string[], functions: readonly string[]): RefusedNames {
  const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase());
  return {
    tableFunctions: new Set(lower(tableFunctions).filter((name) => !HARMLESS_TABLE_FUNCTIONS.has(name))),
    functions: new Set([...HARMFUL_FUNCTIONS, ...lower(functions)]),
  };
}

/**
 * Refuses what a reader must not run. The engine's `readonly=1` stands behind this, but alone it lets `INTO OUTFILE`,
 * scalar `file()`, `DESCRIBE url()`, `x IN file()`, SETTINGS of a subquery, `KILL QUERY` and `BACKUP` through (chDB 3.4.0).
 *
 * @throws EngineError READONLY, ACCESS_DENIED or SYNTAX_ERROR.
 */
export function assertReadable(sql: string, refused: RefusedNames): void {
  const { tokens } = singleStatement(sql);
  assertPlainText(tokens);
  const first = tokens.find((token) => !isPunctuation(token, "("));
  if (!isWord(first, ...READ_STATEMENTS)) throw readonlyRefusal("only SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS");
  tokens.forEach((token, index) => assertHarmless(token, tokens.slice(index + 1, index + 3), refused));
}

function assertHarmless(token: SqlToken, following: readonly SqlToken[], refused: RefusedNames): void {
  const [next, afterNext] = following;
  // `readonly=1` checks the outermost SETTINGS only; in a subquery it would lift a limit.
  if (isWord(token, "SETTINGS") && isPunctuation(afterNext, "=")) throw readonlyRefusal("SETTINGS");
  if (isWord(token, "OUTFILE", "INFILE")) throw accessDenied("files cannot be read or written");
  if (token.kind !== "word" && token.kind !== "quoted-name") return;
  const name = token.text.toLowerCase();
  if (refused.functions.has(name)) throw accessDenied(`function ${name}`);
  if (refused.tableFunctions.has(name) && isPunctuation(next, "(")) throw accessDenied(`table function ${name}`);
}

/**
 * Outside quotes only plain ASCII, and no escapes inside quoted names: everything where this lexer and the engine's
 * could disagree (typographic quotes, exotic blanks, NUL, here-documents, `\x66ile`) is refused.
 */
function assertPlainText(tokens: readonly SqlToken[]): void {
  for (const token of tokens) {
    if (token.kind === "punctuation" && !/[!-#%-~]/.test(token.text)) throw syntaxError("unexpected character");
    if (token.kind === "quoted-name" && token.text.includes("\\")) throw syntaxError("escape in a quoted name");
    if (token.kind === "string" && token.text.startsWith("$")) throw syntaxError("here-documents are not allowed");
  }
}
