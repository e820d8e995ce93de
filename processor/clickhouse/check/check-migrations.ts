import { appliedMigrations, MIGRATIONS_TABLE } from "../migrations/apply-migrations.ts";
import type { Migration } from "../schema.ts";
import type { StoreFinding, StoreQuery } from "./finding.ts";

/** The record of applied migrations against the files of this version. */
export async function checkMigrations(query: StoreQuery, migrations: readonly Migration[]): Promise<StoreFinding[]> {
  const sql = "SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = {table:String}";
  const isThere = (await query(sql, { table: MIGRATIONS_TABLE })).length > 0;
  if (!isThere)
    return [finding(MIGRATIONS_TABLE, "no migration was ever applied", "start the service, which applies them")];
  const applied = await appliedMigrations({ query });
  const ofFiles = migrations.flatMap(({ name, sha256 }): StoreFinding[] => {
    const hash = applied.get(name);
    if (hash === undefined) return [finding(name, "it was not applied", "start the service, which applies it")];
    if (hash === sha256) return [];
    const advice = "changes belong into a new file: restore this one, or update runproof";
    return [finding(name, "it was applied with another content", advice)];
  });
  const known = new Set(migrations.map(({ name }) => name));
  const newer = [...applied.keys()].filter((name) => !known.has(name));
  return [
    ...ofFiles,
    ...newer.map((name) =>
      finding(name, "this version of runproof does not know it", "a newer version was here: update runproof"),
    ),
  ];
}

const finding = (subject: string, problem: string, advice: string): StoreFinding => ({
  code: "migration",
  subject,
  problem,
  advice,
});
