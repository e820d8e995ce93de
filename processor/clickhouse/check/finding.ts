/** Something about a store that runproof cannot work with, or works worse with. */
export interface StoreFinding {
  readonly code:
    | "access"
    | "clock"
    | "cluster"
    | "column"
    | "engine"
    | "migration"
    | "right"
    | "setting"
    | "table"
    | "ttl"
    | "version"
    | "view";
  /** What it is about: a table, a column, a setting. */
  readonly subject: string;
  readonly problem: string;
  /** What to do about it. */
  readonly advice: string;
}

/** Rows of a statement; values only as placeholders. */
export type StoreQuery = <T>(sql: string, parameters?: Readonly<Record<string, unknown>>) => Promise<T[]>;
