import { isPunctuation, isWord, type SqlToken } from "../embedded/sql-text.ts";
import { topLevel } from "./sql-edit.ts";

/** One command of an ALTER. */
export interface AlterPart {
  readonly sql: string;
  /** It changes what the table looks like from outside, so a `Distributed` table over it changes too. */
  readonly isColumn: boolean;
}

const COMMANDS = ["ADD", "DROP", "MODIFY", "RESET", "REMOVE", "MATERIALIZE", "RENAME", "COMMENT"] as const;
const OBJECTS = [
  "COLUMN",
  "INDEX",
  "PROJECTION",
  "CONSTRAINT",
  "STATISTICS",
  "SETTING",
  "TTL",
  "ORDER",
  "COMMENT",
] as const;
/** A comma inside their commands starts the next item, not the next command. */
const OF_LISTS = ["SETTING", "TTL"] as const;
const OF_COLUMNS = ["ADD", "DROP", "MODIFY", "RENAME", "COMMENT"] as const;

/**
 * The commands of an ALTER by themselves, `undefined` when one is of no known kind. Rows are not changed by migrations, so
 * UPDATE and DELETE are no known kind.
 */
export function alterParts(sql: string, tokens: readonly SqlToken[]): AlterPart[] | undefined {
  const isStart = (index: number): boolean =>
    isWord(tokens[index], ...COMMANDS) && isWord(tokens[index + 1], ...OBJECTS);
  const commas = topLevel(tokens).flatMap(({ token, index }) => (isPunctuation(token, ",") ? [index] : []));
  const ends = commas.filter((index) => isStart(index + 1));
  const starts = [0, ...ends.map((index) => index + 1)];
  if (!starts.every(isStart)) return undefined;
  const parts = starts.map((start, part) => ({ start, end: ends[part] ?? tokens.length }));
  const isOne = ({ start, end }: { start: number; end: number }): boolean =>
    isWord(tokens[start + 1], ...OF_LISTS) || !commas.some((index) => index > start && index < end);
  if (!parts.every(isOne)) return undefined;
  return parts.map(({ start, end }) => ({
    sql: sql.slice((tokens[start] as SqlToken).start, (tokens[end - 1] as SqlToken).end),
    isColumn: isWord(tokens[start], ...OF_COLUMNS) && isWord(tokens[start + 1], "COLUMN"),
  }));
}
