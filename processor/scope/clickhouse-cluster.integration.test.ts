import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScopeStore } from "../clickhouse/scope-store.ts";
import { createStore, type Store } from "../clickhouse/store.ts";
import { type ClusterFixture, startClusterFixture } from "../clickhouse/testing/cluster-fixture.ts";
import { createClickHouseSource } from "./clickhouse-source.ts";

// Two servers are started for it.
describe.runIf(process.env["RUNPROOF_LONG_TESTS"] === "1")("scopes in a cluster", () => {
  let fixture: ClusterFixture;
  let stores: Store[];
  beforeAll(async () => {
    fixture = await startClusterFixture();
    stores = fixture.nodes.map(({ url }) => createStore({ url, cluster: { cluster: "main" } }));
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await fixture.close();
  });

  let ids = 0;
  const source = (server: number) =>
    createClickHouseSource({
      scopes: createScopeStore(stores[server % stores.length] as Store),
      key: "one",
      writtenBy: "test",
      now: () => 1_700_000_000_000,
      newId: () => `write-${++ids}`,
    });
  const { signal } = new AbortController();

  it("take one of many writes that follow from the same version, whichever server they go to", async () => {
    for (let round = 0; round < 3; round++) {
      const { version: expected } = (await source(0).read(signal)) as { version: string };
      const servers = [0, 1, 0, 1];
      const writings = await Promise.all(
        servers.map((server, index) => source(server).write({ scope: `scope-${round}-${index}`, expected }, signal)),
      );
      expect(writings.filter(({ kind }) => kind === "written")).toHaveLength(1);
      const winner = writings.findIndex(({ kind }) => kind === "written");
      for (const server of [0, 1]) {
        expect(await source(server).read(signal)).toMatchObject({ scope: `scope-${round}-${winner}` });
      }
    }
    const [row] = await (stores[0] as Store).query<{ n: number }>("SELECT count() AS n FROM runproof_scopes");
    expect(row?.n).toBe(3);
  });
});
