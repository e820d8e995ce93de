import { describe, expect, it } from "vitest";
import { createMemoryJournal, type ScopeJournal } from "./scope-journal.ts";
import { createScopeResolver, type ScopeResolverOptions } from "./scope-resolver.ts";
import { type ReconcilePolicy, SCOPE_STAGES, type ScopeStage } from "./scope-stage.ts";
import { createMemorySource } from "./testing/memory-source.ts";

interface Said {
  readonly runtime?: string | null;
  readonly local?: string | null;
  readonly cloud?: string | null;
}

function place(said: Said, over: Partial<ScopeResolverOptions> = {}) {
  const runtime = createMemorySource(said.runtime ?? null);
  const local = createMemorySource(said.local ?? null);
  const cloud = createMemorySource(said.cloud ?? null);
  const journal = createMemoryJournal();
  let ids = 0;
  const resolver = createScopeResolver({
    sources: { runtime: { read: runtime.read }, local, cloud },
    authorize: () => ({ allowed: true }),
    policy: { fallback: { kind: "fixed", scope: "safe" } },
    stage: "cloud",
    journal,
    now: () => 5,
    newId: () => `id-${++ids}`,
    ...over,
  });
  return { runtime, local, cloud, journal, resolver };
}

const differing = { runtime: "staging", local: "old", cloud: "production" };

describe("reconcile()", () => {
  it("writes what the policy says, reads it again, and is in sync when all agree", async () => {
    const { resolver, local, cloud } = place(differing);
    const first = await resolver.reconcile("runtime_to_local");
    expect(first).toMatchObject({ kind: "written", target: "local", status: { state: "DRIFTED" } });
    expect([local.get(), cloud.get()]).toEqual(["staging", "production"]);
    const second = await resolver.reconcile("resolved_to_cloud");
    expect(second).toMatchObject({ kind: "written", target: "cloud", status: { state: "SYNCED", findings: [] } });
    expect([local.get(), cloud.get()]).toEqual(["staging", "staging"]);
  });

  it("keeps what it is about to do, and what came of it, in the journal", async () => {
    const { resolver, journal } = place({ local: "old", cloud: "production" });
    await resolver.reconcile("resolved_to_cloud");
    expect(await journal.entries()).toEqual([
      {
        kind: "intent",
        id: "id-1",
        at: 5,
        policy: "resolved_to_cloud",
        target: "cloud",
        previous: "production",
        next: "old",
        expected: "0",
      },
      { kind: "outcome", id: "id-1", at: 5, result: "done", version: "1" },
    ]);
  });

  const allowed: Readonly<Record<ScopeStage, readonly ReconcilePolicy[]>> = {
    observe: [],
    local: ["runtime_to_local", "resolved_to_local"],
    cloud: ["runtime_to_local", "resolved_to_local", "resolved_to_cloud"],
    enforce: ["runtime_to_local", "resolved_to_local", "resolved_to_cloud"],
  };
  it.each(SCOPE_STAGES)(
    "in the stage %s writes what that stage writes and nothing else, twice as well as once",
    async (stage) => {
      for (const policy of ["runtime_to_local", "resolved_to_local", "resolved_to_cloud"] as const) {
        const { resolver, journal, local, cloud } = place(differing, { stage });
        const isAllowed = allowed[stage].includes(policy);
        const first = await resolver.reconcile(policy);
        expect(first).toMatchObject(isAllowed ? { kind: "written" } : { kind: "refused", code: "stage" });
        const after = [local.get(), cloud.get(), (await journal.entries()).length];
        if (!isAllowed) expect(after).toEqual(["old", "production", 0]);
        expect(await resolver.reconcile(policy)).toMatchObject(isAllowed ? { kind: "unchanged" } : { kind: "refused" });
        expect([local.get(), cloud.get(), (await journal.entries()).length]).toEqual(after);
      }
    },
  );

  it("leaves everything to a person under the policy reject, and where there is no override to keep", async () => {
    const { resolver, journal } = place({ local: "a", cloud: "b" });
    expect(await resolver.reconcile("reject")).toMatchObject({ kind: "refused", code: "manual_repair" });
    expect(await resolver.reconcile("runtime_to_local")).toMatchObject({
      kind: "refused",
      code: "no_runtime_override",
    });
    expect(await journal.entries()).toEqual([]);
  });

  it("writes no scope that is unresolved, unauthorised or cannot be compared with what is there", async () => {
    const denied = place(differing, { authorize: () => ({ allowed: false, reason: "no" }) });
    expect(await denied.resolver.reconcile("resolved_to_cloud")).toMatchObject({
      kind: "refused",
      code: "unauthorized",
    });
    const invalid = place({ ...differing, runtime: "a b" });
    expect(await invalid.resolver.reconcile("resolved_to_local")).toMatchObject({
      kind: "refused",
      code: "unresolved",
    });
    const broken = place(differing);
    broken.local.break("not JSON");
    expect(await broken.resolver.reconcile("resolved_to_local")).toMatchObject({ code: "target_unreadable" });
    for (const { local, cloud, journal } of [denied, invalid, broken]) {
      expect([local.get(), cloud.get(), await journal.entries()]).toEqual(["old", "production", []]);
    }
  });

  it("writes nothing while the journal cannot be written", async () => {
    const journal: ScopeJournal = { append: () => Promise.reject(new Error("disk full")), entries: async () => [] };
    const { resolver, local } = place(differing, { journal });
    const outcome = await resolver.reconcile("runtime_to_local");
    expect(outcome).toMatchObject({ kind: "failed" });
    expect((outcome as { explanation: string }).explanation).toContain("disk full");
    expect(local.get()).toBe("old");
  });

  it("does not overwrite what somebody else wrote meanwhile", async () => {
    const cloud = createMemorySource("production");
    const write: typeof cloud.write = (asked, signal) => {
      cloud.set("theirs");
      return cloud.write(asked, signal);
    };
    const raced = { ...cloud, write };
    const { resolver, journal } = place({}, { sources: { local: createMemorySource("mine"), cloud: raced } });
    expect(await resolver.reconcile("resolved_to_cloud")).toMatchObject({
      kind: "conflict",
      status: { state: "DRIFTED" },
    });
    expect(cloud.get()).toBe("theirs");
    expect((await journal.entries()).at(-1)).toMatchObject({ kind: "outcome", result: "conflict" });
  });

  it("believes no answer that a write came through: it reads again", async () => {
    const cloud = createMemorySource("production");
    const forgetful = { ...cloud, write: async () => ({ kind: "written", version: "0" }) as const };
    const { resolver } = place({}, { sources: { local: createMemorySource("mine"), cloud: forgetful } });
    const outcome = await resolver.reconcile("resolved_to_cloud");
    expect(outcome).toMatchObject({ kind: "failed", status: { state: "DRIFTED" } });
    const late = { ...cloud, write: () => new Promise<never>(() => {}) };
    const slow = place({}, { sources: { local: createMemorySource("mine"), cloud: late }, timeoutMillis: 20 });
    expect(await slow.resolver.reconcile("resolved_to_cloud")).toMatchObject({ kind: "failed" });
    expect((await slow.journal.entries()).at(-1)).toMatchObject({ result: "unknown" });
  });

  it("cannot write a source that is only read", async () => {
    const cloud = { read: createMemorySource("production").read };
    const { resolver } = place({}, { sources: { local: createMemorySource("mine"), cloud } });
    expect(await resolver.reconcile("resolved_to_cloud")).toMatchObject({ kind: "refused", code: "read_only" });
  });
});

describe("undo()", () => {
  it("puts back what was there, the newest write first, and then says there is nothing more", async () => {
    const { resolver, local, cloud, runtime } = place(differing);
    await resolver.reconcile("runtime_to_local");
    runtime.set("other");
    await resolver.reconcile("runtime_to_local");
    await resolver.reconcile("resolved_to_cloud");
    expect([local.get(), cloud.get()]).toEqual(["other", "other"]);
    expect(await resolver.undo()).toEqual({ kind: "undone", target: "cloud", from: "other", to: "production" });
    expect(await resolver.undo()).toEqual({ kind: "undone", target: "local", from: "other", to: "staging" });
    expect(await resolver.undo()).toEqual({ kind: "undone", target: "local", from: "staging", to: "old" });
    expect([local.get(), cloud.get()]).toEqual(["old", "production"]);
    expect(await resolver.undo()).toEqual({ kind: "nothing" });
  });

  it("takes away what was not there", async () => {
    const { resolver, local } = place({ runtime: "staging", cloud: "production" });
    await resolver.reconcile("runtime_to_local");
    expect(await resolver.undo()).toMatchObject({ kind: "undone", to: null });
    expect(local.get()).toBeNull();
  });

  it("changes nothing when somebody wrote since, even the same", async () => {
    for (const since of ["theirs", "staging", null]) {
      const { resolver, local } = place(differing);
      await resolver.reconcile("runtime_to_local");
      local.set(since);
      expect(await resolver.undo()).toMatchObject({ kind: "refused", code: "changed_since" });
      expect(local.get()).toBe(since);
    }
  });

  it("changes nothing in a stage that does not write there, or without permission for what was there", async () => {
    const { local, cloud, journal, resolver } = place(differing);
    await resolver.reconcile("runtime_to_local");
    const sources = { local, cloud };
    const observed = place({}, { sources, journal, stage: "observe" });
    expect(await observed.resolver.undo()).toMatchObject({ kind: "refused", code: "stage" });
    const denied = place({}, { sources, journal, authorize: () => ({ allowed: false, reason: "no" }) });
    expect(await denied.resolver.undo()).toMatchObject({ kind: "refused", code: "unauthorized" });
    expect(local.get()).toBe("staging");
  });

  it("passes over a write of which nobody knew whether it happened, when it did not", async () => {
    const { local, cloud, journal, resolver } = place(differing);
    await resolver.reconcile("runtime_to_local");
    const late = { ...cloud, write: () => new Promise<never>(() => {}) };
    const slow = place({}, { sources: { local, cloud: late }, journal, timeoutMillis: 20, newId: () => "slow" });
    await slow.resolver.reconcile("resolved_to_cloud");
    expect(await resolver.undo()).toEqual({ kind: "undone", target: "local", from: "staging", to: "old" });
  });

  it("puts back a write of which nobody knew whether it happened, when it did", async () => {
    const cloud = createMemorySource("production");
    const unheard: typeof cloud.write = async (write, signal) => {
      await cloud.write(write, signal);
      throw new Error("the answer was lost");
    };
    const deaf = { ...cloud, write: unheard };
    const journal = createMemoryJournal();
    const local = createMemorySource("mine");
    const { resolver } = place({}, { sources: { local, cloud: deaf }, journal });
    expect(await resolver.reconcile("resolved_to_cloud")).toMatchObject({
      kind: "failed",
      status: { state: "SYNCED" },
    });
    expect(cloud.get()).toBe("mine");
    const next = place({}, { sources: { local, cloud }, journal, newId: () => "undo-1" });
    expect(await next.resolver.undo()).toMatchObject({ kind: "undone", to: "production" });
    expect(cloud.get()).toBe("production");
  });
});
