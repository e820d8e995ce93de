import { isScopeName, SCOPE_NAME_RULE } from "../../instrumentation/scope/scope-name.ts";
import type { ScopeReading, WritableScopeSource } from "../../instrumentation/scope/scope-source.ts";
import type { ScopeStore, ScopeVersion } from "../clickhouse/scope-store.ts";

export interface ClickHouseSourceOptions {
  readonly scopes: ScopeStore;
  /** Which scope; one of ours or of the user's. */
  readonly key: string;
  /** Kept with each version, for people. */
  readonly writtenBy: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
}

/**
 * The cloud default as versions in ClickHouse: a write appends the next generation, of which the store takes one. It is
 * `written` when it is the one that is read again.
 */
export function createClickHouseSource(options: ClickHouseSourceOptions): WritableScopeSource {
  const { scopes, key, writtenBy, now, newId } = options;
  return {
    read: async () => readingOf(await scopes.newest(key)),
    async write({ scope, expected }) {
      if (scope !== null && !isScopeName(scope)) return { kind: "conflict", problem: SCOPE_NAME_RULE };
      const before = await scopes.newest(key);
      if (versionOf(before) !== expected) return { kind: "conflict", problem: "the store has another version" };
      const generation = (before?.generation ?? 0) + 1;
      const row = {
        scope_key: key,
        generation,
        scope: scope ?? "",
        write_id: newId(),
        written_by: writtenBy,
        written_at: now(),
      };
      await scopes.append(row);
      const after = await scopes.newest(key);
      if (after === undefined) return { kind: "failed", problem: "the store has not kept it" };
      if (after.write_id === row.write_id) return { kind: "written", version: versionOf(after) };
      return { kind: "conflict", problem: "somebody else wrote this version" };
    },
  };
}

const versionOf = (version: ScopeVersion | undefined): string =>
  version === undefined ? "none" : `${version.generation}-${version.write_id}`;

function readingOf(found: ScopeVersion | undefined): ScopeReading {
  const version = versionOf(found);
  if (found === undefined || found.scope === "") return { kind: "absent", version };
  return { kind: "present", scope: found.scope, version };
}
