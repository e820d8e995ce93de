import { isPunctuation, isWord, type SqlToken } from "../embedded/sql-text.ts";

/** Text to put in place of a stretch of a statement; `start === end` inserts. */
export interface SqlEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The statement with all edits, which must not overlap; everything else stays as written, comments included. */
export function editedSql(sql: string, edits: readonly SqlEdit[]): string {
  let result = "";
  let position = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    result += sql.slice(position, start) + text;
    position = end;
  }
  return result + sql.slice(position);
}

/** Tokens outside all brackets, brackets not included, with their place in the list. */
export function topLevel(tokens: readonly SqlToken[]): { token: SqlToken; index: number }[] {
  let depth = 0;
  return tokens.flatMap((token, index) => {
    if (isPunctuation(token, "(")) depth++;
    const isOutside = depth === 0;
    if (isPunctuation(token, ")")) depth--;
    return isOutside ? [{ token, index }] : [];
  });
}

/** True when the statement starts with these words. */
export const startsWith = (tokens: readonly SqlToken[], ...words: readonly string[]): boolean =>
  words.every((word, index) => isWord(tokens[index], word));
