import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScopeResolver } from "../../instrumentation/scope/scope-resolver.ts";
import { createScopeStore } from "../clickhouse/scope-store.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";
import { createClickHouseSource } from "./clickhouse-source.ts";
import { openClickHouseSource } from "./open-clickhouse-source.ts";

let engine: EngineFixture;
let store: Store;
beforeAll(async () => {
  engine = await startEngineFixture();
  store = createStore({ url: engine.engine.url(), ...engine.engine.serviceCredentials() });
  await store.migrate();
  await store.verifySchema();
});
afterAll(async () => {
  await store.close();
  await engine.close();
});

let ids = 0;
const source = (key: string) =>
  createClickHouseSource({
    scopes: createScopeStore(store),
    key,
    writtenBy: "test",
    now: () => 1_700_000_000_000,
    newId: () => `write-${++ids}`,
  });
const { signal } = new AbortController();
const versionOf = async (key: string) => ((await source(key).read(signal)) as { version: string }).version;

describe("scopes in ClickHouse", () => {
  it("are absent, then what was written, then absent again; every version stays", async () => {
    const cloud = source("one");
    expect(await cloud.read(signal)).toEqual({ kind: "absent", version: "none" });
    for (const scope of ["staging", "production", null]) {
      const writing = await cloud.write({ scope, expected: await versionOf("one") }, signal);
      expect(writing.kind).toBe("written");
      const version = await versionOf("one");
      expect(await cloud.read(signal)).toEqual(
        scope === null ? { kind: "absent", version } : { kind: "present", scope, version },
      );
    }
    const rows = await store.query("SELECT scope FROM runproof_scopes WHERE scope_key = 'one' ORDER BY generation");
    expect(rows).toEqual([{ scope: "staging" }, { scope: "production" }, { scope: "" }]);
  });

  it("take one of many writes that follow from the same version", async () => {
    const expected = await versionOf("raced");
    const names = Array.from({ length: 10 }, (_, index) => `scope-${index}`);
    const writings = await Promise.all(names.map((scope) => source("raced").write({ scope, expected }, signal)));
    expect(writings.filter(({ kind }) => kind === "written")).toHaveLength(1);
    expect(writings.filter(({ kind }) => kind === "conflict")).toHaveLength(9);
    const winner = names[writings.findIndex(({ kind }) => kind === "written")];
    expect(await source("raced").read(signal)).toMatchObject({ scope: winner });
    const [row] = await store.query<{ n: number }>(
      "SELECT count() AS n FROM runproof_scopes WHERE scope_key = 'raced'",
    );
    expect(row?.n).toBe(1);
  });

  it("keep keys apart, whatever they are made of", async () => {
    for (const key of ["a'b", "a\\", "a:1", "a"]) {
      expect(await source(key).write({ scope: "mine", expected: "none" }, signal)).toMatchObject({ kind: "written" });
    }
  });

  it("take no write that follows from an older version, and nothing that is no scope", async () => {
    const first = await versionOf("old");
    await source("old").write({ scope: "theirs", expected: first }, signal);
    expect(await source("old").write({ scope: "mine", expected: first }, signal)).toMatchObject({ kind: "conflict" });
    const bad = { scope: "'; DROP TABLE runproof_scopes", expected: await versionOf("old") };
    expect(await source("old").write(bad, signal)).toMatchObject({ kind: "conflict" });
  });

  it("are opened by whoever has the address of the store", async () => {
    const opened = openClickHouseSource({
      url: engine.engine.url(),
      ...engine.engine.serviceCredentials(),
      key: "opened",
    });
    expect(await opened.write({ scope: "staging", expected: "none" }, signal)).toMatchObject({ kind: "written" });
    expect(await source("opened").read(signal)).toMatchObject({ scope: "staging" });
    await opened.close();
  });

  it("are what a resolver makes agree, and takes back", async () => {
    const cloud = source("resolved");
    await cloud.write({ scope: "production", expected: "none" }, signal);
    const runtime = { read: () => ({ kind: "present", scope: "staging", version: "1" }) as const };
    const resolver = createScopeResolver({
      sources: { runtime, cloud },
      authorize: () => ({ allowed: true }),
      policy: { fallback: { kind: "fail" } },
      stage: "enforce",
    });
    expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "refused", code: "drifted" });
    expect(await resolver.reconcile("resolved_to_cloud")).toMatchObject({
      kind: "written",
      status: { state: "SYNCED" },
    });
    expect(await resolver.withScope("x", (scope) => scope)).toMatchObject({ kind: "executed", value: "staging" });
    expect(await resolver.undo()).toMatchObject({ kind: "undone", to: "production" });
    expect(await cloud.read(signal)).toMatchObject({ scope: "production" });
  });
});
