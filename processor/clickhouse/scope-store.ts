import type { Store } from "./store.ts";

/** One version of a scope that the service keeps. */
export interface ScopeRow {
  readonly scope_key: string;
  readonly generation: number;
  /** `''`: taken away. */
  readonly scope: string;
  /** Tells this write from all others. */
  readonly write_id: string;
  readonly written_by: string;
  /** Milliseconds since the epoch. */
  readonly written_at: number;
}

export const SCOPE_COLUMN_TYPES: Readonly<Record<keyof ScopeRow, string>> = {
  scope_key: "String",
  generation: "UInt64",
  scope: "String",
  write_id: "String",
  written_by: "String",
  written_at: "DateTime64(3)",
};

export const SCOPE_COLUMNS = Object.keys(SCOPE_COLUMN_TYPES) as (keyof ScopeRow)[];

export type ScopeVersion = Pick<ScopeRow, "generation" | "scope" | "write_id">;

/** Versions of scopes, append only. */
export interface ScopeStore {
  /** The newest version; `undefined` when there is none. */
  newest(key: string): Promise<ScopeVersion | undefined>;
  /** Stores a version unless its generation is there already. What is stored tells the next reading. */
  append(row: ScopeRow): Promise<void>;
}

// Should a token ever be forgotten, the first of two versions stays the one that counts.
const NEWEST = `SELECT generation, scope, write_id FROM runproof_scopes WHERE scope_key = {key:String}
  ORDER BY generation DESC, written_at, write_id LIMIT 1`;

export const createScopeStore = (store: Pick<Store, "query" | "insertScope">): ScopeStore => ({
  async newest(key) {
    const [row] = await store.query<ScopeVersion>(NEWEST, { key });
    return row;
  },
  append: (row) => store.insertScope(row, `scope:${row.scope_key}:${row.generation}`),
});
