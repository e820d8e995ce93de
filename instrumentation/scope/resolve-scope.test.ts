import { describe, expect, it } from "vitest";
import { resolveScope, type ScopeFallback } from "./resolve-scope.ts";
import { isScopeName } from "./scope-name.ts";
import type { ScopeReading, ScopeSnapshot } from "./scope-source.ts";

const present = (scope: string): ScopeReading => ({ kind: "present", scope, version: "1" });
const absent: ScopeReading = { kind: "absent", version: "0" };
const unreadable: ScopeReading = { kind: "unreadable", problem: "out of reach" };
const snapshot = (over: Partial<ScopeSnapshot> = {}): ScopeSnapshot => ({
  runtime: absent,
  local: absent,
  cloud: absent,
  ...over,
});
const policy = (fallback: ScopeFallback = { kind: "fixed", scope: "safe" }) => ({ fallback });

describe("resolveScope()", () => {
  it("takes the runtime override, then the local scope, then the cloud default, then the fallback", () => {
    const all = { runtime: present("run"), local: present("loc"), cloud: present("clo") };
    const scopes = [
      all,
      { ...all, runtime: absent },
      { ...all, runtime: absent, local: absent },
      {},
      { runtime: undefined, local: undefined, cloud: undefined },
    ].map((over) => resolveScope(snapshot(over), policy()));
    expect(scopes).toEqual([
      { kind: "resolved", scope: "run", source: "runtime" },
      { kind: "resolved", scope: "loc", source: "local" },
      { kind: "resolved", scope: "clo", source: "cloud" },
      { kind: "resolved", scope: "safe", source: "fallback" },
      { kind: "resolved", scope: "safe", source: "fallback" },
    ]);
  });

  it.each(["runtime", "local", "cloud"] as const)("does not go past %s when that cannot be read", (source) => {
    const below = { runtime: absent, local: absent, cloud: present("production"), [source]: unreadable };
    expect(resolveScope(below, policy())).toEqual({
      kind: "unresolved",
      code: "source_unreadable",
      source,
      problem: "out of reach",
    });
  });

  it("needs no answer of a source that a stronger one has spoken before", () => {
    const found = resolveScope({ runtime: present("run"), local: unreadable, cloud: unreadable }, policy());
    expect(found).toMatchObject({ kind: "resolved", scope: "run" });
  });

  it.each(["", " ", "a b", "../x", ".hidden", "-x", "a/b", "a\u0000", "a\n", "ä", "x".repeat(129), "'; DROP TABLE x"])(
    "is unresolved, and no fallback, for the name %j",
    (name) => {
      expect(isScopeName(name)).toBe(false);
      const found = resolveScope(snapshot({ local: present(name), cloud: present("production") }), policy());
      expect(found).toMatchObject({ kind: "unresolved", code: "scope_invalid", source: "local" });
    },
  );

  it("fails where the fallback is a failure", () => {
    const found = resolveScope(snapshot(), policy({ kind: "fail" }));
    expect(found).toMatchObject({ kind: "unresolved", code: "scope_missing", source: "fallback" });
  });

  it("gives each identity a namespace of its own, always the same, and none without an identity", () => {
    const of = (identity: string | null) => resolveScope(snapshot(), policy({ kind: "identity", identity }));
    expect(of("ann@example.org")).toEqual(of("ann@example.org"));
    expect(of("ann@example.org")).toMatchObject({ kind: "resolved", source: "fallback" });
    expect(of("ann@example.org")).not.toEqual(of("ann.example.org"));
    for (const nobody of [null, ""]) expect(of(nobody)).toMatchObject({ kind: "unresolved", code: "scope_missing" });
  });

  it("does not take an invalid fixed fallback", () => {
    const found = resolveScope(snapshot(), policy({ kind: "fixed", scope: "no good" }));
    expect(found).toMatchObject({ kind: "unresolved", code: "scope_invalid", source: "fallback" });
  });
});
