import { EngineError, syntaxError } from "./engine-error.ts";

/**
 * Just enough of ClickHouse's lexer to know where strings, quoted names and comments end.
 * Decisions are taken on tokens, never on raw text: comments and quotes cannot hide a word from them.
 */
export type SqlToken = {
  readonly kind: "word" | "quoted-name" | "string" | "number" | "punctuation";
  /** As written; for a quoted name the unquoted name. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
};

const BLANK_OR_COMMENT = /(?:[ \t\n\v\f\r]+|--[^\n]*|#[ !][^\n]*|\/\*[^]*?\*\/)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9][0-9A-Za-z_]*/y;
const HEREDOC = /\$(\w*)\$[^]*?\$\1\$/y;

/** @throws EngineError SYNTAX_ERROR for an unterminated quote or comment. */
export function lexSql(sql: string): SqlToken[] {
  return [...tokensOf(sql)];
}

/** The tokens one by one, for statements whose tail is data and not SQL. */
export function* tokensOf(sql: string): Generator<SqlToken> {
  let position = 0;
  while (position < sql.length) {
    const blank = matchAt(BLANK_OR_COMMENT, sql, position);
    if (blank > 0) position += blank;
    else {
      const token = tokenAt(sql, position);
      yield token;
      position = token.end;
    }
  }
}

function tokenAt(sql: string, start: number): SqlToken {
  const first = sql[start] as string;
  if (first === "'" || first === "`" || first === '"') {
    const end = endOfQuote(sql, start);
    const body = sql.slice(start + 1, end - 1);
    return first === "'"
      ? { kind: "string", text: sql.slice(start, end), start, end }
      : { kind: "quoted-name", text: body.replaceAll(first + first, first), start, end };
  }
  if (sql.startsWith("/*", start)) throw syntaxError("comment is not closed");
  for (const [kind, pattern] of [
    ["word", WORD],
    ["number", NUMBER],
    ["string", HEREDOC],
  ] as const) {
    const length = matchAt(pattern, sql, start);
    if (length > 0) return { kind, text: sql.slice(start, start + length), start, end: start + length };
  }
  return { kind: "punctuation", text: first, start, end: start + 1 };
}

/** A quote ends at its twin unless that is doubled or escaped. */
function endOfQuote(sql: string, start: number): number {
  const quote = sql[start];
  for (let i = start + 1; i < sql.length; i++) {
    if (sql[i] === "\\") i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  throw syntaxError("quote is not closed");
}

function matchAt(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** True when the token is this keyword; keywords cannot be quoted. */
export function isWord(token: SqlToken | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === "word" && keywords.includes(token.text.toUpperCase());
}

export function isPunctuation(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === "punctuation" && token.text === text;
}

/** A string literal that ends where it should, whatever the value holds. */
export function sqlString(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\0", "\\0")}'`;
}

/** A quoted identifier. */
export function sqlName(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/**
 * One statement without its trailing semicolon.
 * @throws EngineError SYNTAX_ERROR for several statements or none.
 */
export function singleStatement(sql: string): { text: string; tokens: SqlToken[] } {
  const tokens = lexSql(sql);
  const separator = tokens.findIndex((token) => isPunctuation(token, ";"));
  if (separator === -1) return { text: sql, tokens: nonEmpty(tokens) };
  const rest = tokens.slice(separator);
  if (!rest.every((token) => isPunctuation(token, ";"))) throw syntaxError("Multi-statements are not allowed");
  return { text: sql.slice(0, (rest[0] as SqlToken).start), tokens: nonEmpty(tokens.slice(0, separator)) };
}

function nonEmpty(tokens: SqlToken[]): SqlToken[] {
  if (tokens.length === 0) throw new EngineError(62, "SYNTAX_ERROR", "Empty query.");
  return tokens;
}
