import type { ScopeReading, WritableScopeSource } from "../scope-source.ts";

/** A source in memory that anybody can change, break or take away. */
export interface MemorySource extends WritableScopeSource {
  set(scope: string | null): void;
  /** From now on it cannot be read; `undefined` mends it. */
  break(problem: string | undefined): void;
  get(): string | null;
  reads(): number;
}

export function createMemorySource(initial: string | null = null): MemorySource {
  let scope = initial;
  let generation = 0;
  let broken: string | undefined;
  let reads = 0;
  const version = (): string => `${generation}`;
  const set = (next: string | null): void => {
    scope = next;
    generation += 1;
  };
  return {
    set,
    get: () => scope,
    reads: () => reads,
    break: (problem) => void (broken = problem),
    read(): ScopeReading {
      reads += 1;
      if (broken !== undefined) return { kind: "unreadable", problem: broken };
      return scope === null ? { kind: "absent", version: version() } : { kind: "present", scope, version: version() };
    },
    write(write) {
      if (write.expected !== version()) return Promise.resolve({ kind: "conflict", problem: "another version" });
      set(write.scope);
      return Promise.resolve({ kind: "written", version: version() });
    },
  };
}
