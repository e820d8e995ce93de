import { describe, expect, it } from "vitest";
import type { ScopePermission } from "./authorize-scope.ts";
import type { ScopeDriftEvent } from "./scope-drift.ts";
import { createScopeResolver, type ScopeResolverOptions } from "./scope-resolver.ts";
import { createMemorySource, type MemorySource } from "./testing/memory-source.ts";

interface Place {
  readonly runtime: MemorySource;
  readonly local: MemorySource;
  readonly cloud: MemorySource;
  readonly events: ScopeDriftEvent[];
  readonly asked: string[];
}

interface Said {
  readonly runtime?: string;
  readonly local?: string;
  readonly cloud?: string;
}

function place({ runtime, local, cloud }: Said, over: Partial<ScopeResolverOptions> = {}) {
  const at: Place = {
    runtime: createMemorySource(runtime ?? null),
    local: createMemorySource(local ?? null),
    cloud: createMemorySource(cloud ?? null),
    events: [],
    asked: [],
  };
  const resolver = createScopeResolver({
    sources: { runtime: { read: at.runtime.read }, local: at.local, cloud: at.cloud },
    authorize: ({ scope, operation }) => {
      at.asked.push(`${operation} in ${scope}`);
      return { allowed: true };
    },
    policy: { fallback: { kind: "fixed", scope: "safe" } },
    emit: (event) => void at.events.push(event),
    now: () => 1_000,
    ...over,
  });
  return { ...at, resolver };
}

describe("withScope()", () => {
  it("executes in the resolved scope after the authoriser was asked about it and the operation", async () => {
    const { resolver, asked } = place({ runtime: "staging", local: "staging", cloud: "staging" });
    const outcome = await resolver.withScope("orders.write", (scope) => `wrote to ${scope}`);
    expect(outcome).toMatchObject({ kind: "executed", value: "wrote to staging", scope: "staging" });
    expect(outcome.status).toMatchObject({ state: "SYNCED", authorized: true, findings: [] });
    expect(asked).toEqual(["orders.write in staging"]);
  });

  it.each<[string, ScopeResolverOptions["authorize"], string]>([
    ["says no", () => ({ allowed: false, reason: "not yours" }), "unauthorized"],
    ["throws", () => Promise.reject(new Error("down")), "authorization_failed"],
    ["never answers", () => new Promise(() => {}), "authorization_failed"],
    [
      "answers with something that is only like yes",
      () => ({ allowed: "yes" }) as unknown as ScopePermission,
      "unauthorized",
    ],
    ["answers with nothing", () => undefined as unknown as ScopePermission, "authorization_failed"],
  ])("executes nothing when the authoriser %s", async (_name, authorize, code) => {
    const { resolver } = place({ cloud: "production" }, { authorize, timeoutMillis: 30 });
    let executed = false;
    const outcome = await resolver.withScope("read", () => void (executed = true));
    expect(outcome).toMatchObject({ kind: "refused", code, status: { authorized: false, scope: "production" } });
    expect(executed).toBe(false);
  });

  it("executes nothing, and asks for nothing, when a source that might have won cannot be read or never answers", async () => {
    const silent = { read: () => new Promise<never>(() => {}) };
    for (const local of [silent, { read: () => Promise.reject(new Error("disk")) }]) {
      const sources = { local, cloud: createMemorySource("production") };
      const { resolver, asked } = place({}, { sources, timeoutMillis: 30 });
      const outcome = await resolver.withScope("read", () => "done");
      expect(outcome).toMatchObject({ kind: "refused", code: "unresolved" });
      expect(asked).toEqual([]);
    }
  });

  it("gives back what the work gives, and throws what it throws", async () => {
    const { resolver } = place({ cloud: "production" });
    await expect(resolver.withScope("x", () => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  });

  it("executes although the sources disagree, but under enforcement", async () => {
    const drifted = { runtime: "staging", cloud: "production" };
    for (const stage of ["observe", "local", "cloud"] as const) {
      const outcome = await place(drifted, { stage }).resolver.withScope("x", (scope) => scope);
      expect(outcome).toMatchObject({ kind: "executed", value: "staging", status: { state: "DRIFTED" } });
    }
    const enforced = await place(drifted, { stage: "enforce" }).resolver.withScope("x", (scope) => scope);
    expect(enforced).toMatchObject({ kind: "refused", code: "drifted", status: { authorized: true } });
  });

  it("executes nothing when the sources change during every look", async () => {
    const { resolver, cloud } = place({ cloud: "a" }, { authorize: () => (cloud.set("b"), { allowed: true }) });
    const outcome = await resolver.withScope("x", () => "done");
    expect(outcome).toMatchObject({ kind: "refused", code: "authorization_failed", status: { authorized: false } });
    expect(outcome.status.findings[0]?.reason).toBe("unstable");
  });

  it("looks again when a source changed while the authoriser was asked, and works in the new scope", async () => {
    const asked: string[] = [];
    const { resolver, cloud } = place(
      { cloud: "a" },
      {
        authorize: ({ scope }) => {
          asked.push(scope);
          if (scope === "a") cloud.set("b");
          return { allowed: true };
        },
      },
    );
    expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "executed", value: "b" });
    expect(asked).toEqual(["a", "b"]);
  });
});

describe("a process that has an old value", () => {
  it("is told so, once; the work goes on in the new scope, but not under enforcement", async () => {
    for (const stage of ["observe", "enforce"] as const) {
      const { resolver, cloud, events } = place({ cloud: "staging" }, { stage });
      await resolver.withScope("x", (scope) => scope);
      cloud.set("production");
      const second = await resolver.withScope("x", (scope) => scope);
      expect(events).toMatchObject([
        { reason: "stale_cache", action_required: "refresh", resolved_scope: "production" },
      ]);
      expect(second).toMatchObject(
        stage === "enforce"
          ? { kind: "refused", code: "stale_cache", status: { state: "DRIFTED" } }
          : { kind: "executed", value: "production", status: { state: "DRIFTED" } },
      );
      expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "executed", value: "production" });
      expect(events).toHaveLength(1);
    }
  });

  it("is no process that was refused: it never worked there", async () => {
    const authorize: ScopeResolverOptions["authorize"] = ({ scope }) =>
      scope === "a" ? { allowed: false, reason: "no" } : { allowed: true };
    const { resolver, cloud, events } = place({ cloud: "a" }, { authorize, stage: "enforce" });
    expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "refused", code: "unauthorized" });
    cloud.set("b");
    expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "executed", value: "b" });
    expect(events).toEqual([]);
  });

  it("is found by what its caller still holds", async () => {
    const { resolver, events } = place({ cloud: "production" }, { stage: "enforce" });
    const outcome = await resolver.withScope({ operation: "x", held: "staging" }, () => "done");
    expect(outcome).toMatchObject({ kind: "refused", code: "stale_cache" });
    expect(events[0]).toMatchObject({ reason: "stale_cache", resolved_scope: "production" });
  });

  it("uses a permission again for its time only, and never without reading the sources", async () => {
    let now = 1_000;
    const { resolver, cloud, asked } = place({ cloud: "staging" }, { permissionMillis: 100, now: () => now });
    const work = () => resolver.withScope("x", (scope) => scope);
    await work();
    now += 99;
    const before = cloud.reads();
    expect(await work()).toMatchObject({ value: "staging" });
    expect(cloud.reads()).toBeGreaterThan(before);
    expect(asked).toHaveLength(1);
    now += 1;
    await work();
    expect(asked).toHaveLength(2);
    cloud.set("production");
    expect(await work()).toMatchObject({ value: "production", status: { findings: [{ reason: "stale_cache" }] } });
    expect(asked).toEqual(["x in staging", "x in staging", "x in production"]);
    await resolver.withScope("y", (scope) => scope);
    expect(asked.at(-1)).toBe("y in production");
  });
});

describe("scope_drift_detected", () => {
  it("has exactly the fields of the specification", async () => {
    const { resolver, events } = place({ runtime: "staging", local: "production", cloud: "staging" });
    await resolver.check();
    expect(events).toEqual([
      {
        runtime_scope: "staging",
        local_scope: "production",
        cloud_scope: "staging",
        resolved_scope: "staging",
        authorized: true,
        reason: "local_mismatch",
        action_required: "sync_local",
        drift_snapshot: { source_precedence: ["runtime", "local", "cloud", "fallback"] },
      },
    ]);
  });

  it.each<[string, Said, string | undefined, string | undefined]>([
    ["all say the same", { runtime: "a", local: "a", cloud: "a" }, undefined, undefined],
    ["nobody says anything", {}, undefined, undefined],
    ["only the cloud speaks", { cloud: "a" }, undefined, undefined],
    ["the cloud differs", { runtime: "a", local: "a", cloud: "b" }, "cloud_mismatch", "sync_cloud"],
    ["the local scope differs from the cloud", { local: "a", cloud: "b" }, "cloud_mismatch", "sync_cloud"],
    ["the override is kept nowhere", { runtime: "a" }, "local_missing", "sync_local"],
    ["the override is what the others would come to", { runtime: "safe" }, undefined, undefined],
    ["the override is not a scope", { runtime: "a b", cloud: "c" }, "unresolved", "manual_repair"],
  ])("when %s", async (_name, said, reason, action) => {
    const { resolver, events } = place(said);
    const status = await resolver.check();
    expect(status.state).toBe(reason === undefined ? "SYNCED" : "DRIFTED");
    expect(events.map((event) => [event.reason, event.action_required])).toEqual(
      reason === undefined ? [] : [[reason, action]],
    );
  });

  it("says nothing is in sync while a weaker source cannot be read", async () => {
    const { resolver, cloud, events } = place({ runtime: "a", local: "a", cloud: "a" });
    cloud.break("503");
    expect(await resolver.check()).toMatchObject({ state: "DRIFTED", authorized: true, scope: "a" });
    expect(events).toMatchObject([{ reason: "cloud_unreadable", cloud_scope: null, action_required: "manual_repair" }]);
  });

  it("names every mismatch with its values in the diagnostics", async () => {
    const { resolver } = place({ runtime: "a", local: "b", cloud: "c" });
    const { findings } = await resolver.check();
    expect(findings).toEqual([
      { reason: "local_mismatch", action: "sync_local", detail: 'local says "b", resolved is "a"' },
      { reason: "cloud_mismatch", action: "sync_cloud", detail: 'cloud says "c", resolved is "a"' },
    ]);
  });

  it("finds an override that contradicts itself", async () => {
    const runtime = { read: () => ({ kind: "present", scope: "a", version: "1", shadowed: ["b"] }) as const };
    const { resolver, events } = place({}, { sources: { runtime } });
    await resolver.check();
    expect(events).toMatchObject([{ reason: "runtime_mismatch", runtime_scope: "a" }]);
  });

  it("is told again after a while, at once when it is another one, and whoever throws about it is not heard", async () => {
    let now = 0;
    const { resolver, cloud, events } = place({ runtime: "a", cloud: "b" }, { now: () => now, repeatMillis: 100 });
    await resolver.check();
    await resolver.check();
    expect(events).toHaveLength(1);
    now = 100;
    await resolver.check();
    expect(events).toHaveLength(2);
    cloud.set("c");
    await resolver.check();
    expect(events).toHaveLength(3);
    const deaf = place({ runtime: "a" }, { emit: () => Promise.reject(new Error("deaf")) });
    expect((await deaf.resolver.check()).state).toBe("DRIFTED");
  });
});

describe("createScopeResolver()", () => {
  it("refuses a fixed fallback that is no scope", () => {
    expect(() => place({}, { policy: { fallback: { kind: "fixed", scope: "" } } })).toThrow(TypeError);
  });

  it("keeps agreement and permission apart: a synced scope may be forbidden", async () => {
    const { resolver } = place({ cloud: "a" }, { authorize: () => ({ allowed: false, reason: "no" }) });
    expect(await resolver.check()).toMatchObject({ state: "SYNCED", authorized: false });
    expect(resolver.last()).toMatchObject({ state: "SYNCED", authorized: false });
  });
});
