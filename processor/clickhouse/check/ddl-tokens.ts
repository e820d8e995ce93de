import { isPunctuation, isWord, type SqlToken } from "../embedded/sql-text.ts";
import { topLevel } from "../migrations/sql-edit.ts";

/** Tokens from an opening bracket to its twin, without both. */
export function insideBrackets(tokens: readonly SqlToken[], open: number): readonly SqlToken[] {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (isPunctuation(tokens[index], "(")) depth++;
    if (isPunctuation(tokens[index], ")") && --depth === 0) return tokens.slice(open + 1, index);
  }
  return [];
}

/** The items of a list, by its commas. */
export function listItems(tokens: readonly SqlToken[]): (readonly SqlToken[])[] {
  const commas = topLevel(tokens).flatMap(({ token, index }) => (isPunctuation(token, ",") ? [index] : []));
  const starts = [0, ...commas.map((index) => index + 1)];
  return starts
    .map((start, item) => tokens.slice(start, commas[item] ?? tokens.length))
    .filter(({ length }) => length > 0);
}

/** One spelling of a piece of SQL, whatever its blanks, quotes of names and outer brackets. */
export function spelled(tokens: readonly SqlToken[]): string {
  const isBracketed =
    isPunctuation(tokens[0], "(") && insideBrackets(tokens, 0).length === tokens.length - 2 && tokens.length > 1;
  return (isBracketed ? tokens.slice(1, -1) : tokens).map(({ text }) => text).join(" ");
}

/** What stands after a keyword outside brackets, up to the next of the given ones. */
export function clause(
  tokens: readonly SqlToken[],
  keyword: readonly string[],
  ends: readonly string[],
): readonly SqlToken[] | undefined {
  const outside = topLevel(tokens);
  const at = outside.findIndex(({ index }) => keyword.every((word, offset) => isWord(tokens[index + offset], word)));
  const start = outside[at];
  if (start === undefined) return undefined;
  const end = outside.slice(at + keyword.length).find(({ token }) => isWord(token, ...ends));
  return tokens.slice(start.index + keyword.length, end?.index ?? tokens.length);
}

export const CLAUSES = ["ENGINE", "PARTITION", "PRIMARY", "ORDER", "SAMPLE", "TTL", "SETTINGS", "COMMENT"] as const;
