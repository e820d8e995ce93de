import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStore, type Store } from "../clickhouse/store.ts";
import { startEngineFixture, type EngineFixture } from "../clickhouse/testing/engine-fixture.ts";

interface Query {
  readonly title: string;
  readonly rawSql: string;
}

interface AlertRule {
  readonly title: string;
  readonly noDataState: string;
  readonly execErrState: string;
  readonly data: readonly { readonly model: { readonly rawSql?: string } }[];
}

let engine: EngineFixture;
let service: Store;
let reader: Store;
beforeAll(async () => {
  engine = await startEngineFixture();
  service = createStore({ url: engine.engine.url(), ...engine.engine.serviceCredentials() });
  await service.migrate();
  reader = createStore({ url: engine.engine.url() });
});
afterAll(async () => {
  await Promise.all([service.close(), reader.close()]);
  await engine.close();
});

const parsed = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../deploy/grafana/${file}`, import.meta.url), "utf8"));

const panels = async (): Promise<Query[]> => {
  const dashboard = (await parsed("dashboard.json")) as {
    panels: { title: string; targets: { rawSql: string }[] }[];
  };
  return dashboard.panels.flatMap(({ title, targets }) => targets.map(({ rawSql }) => ({ title, rawSql })));
};

const rules = async (): Promise<readonly AlertRule[]> =>
  ((await parsed("alert-rules.json")) as { groups: { rules: AlertRule[] }[] }).groups.flatMap((group) => group.rules);

/** What Grafana's plug-in makes of its macros, for the last day and steps of a minute. */
const withoutMacros = (sql: string): string =>
  sql
    .replace(/\$__timeFilter\((\w+)\)/g, "$1 >= now() - INTERVAL 1 DAY AND $1 <= now()")
    .replace(/\$__timeInterval\((\w+)\)/g, "toStartOfInterval(toDateTime($1), INTERVAL 60 second)");

describe("Grafana's files", () => {
  it("have a dashboard whose queries a reader may ask", async () => {
    const queries = await panels();
    expect(queries.length).toBeGreaterThan(8);
    for (const { title, rawSql } of queries) {
      await expect(reader.query(withoutMacros(rawSql)), title).resolves.toBeInstanceOf(Array);
    }
  });

  it("have rules that count silence and errors as alerts", async () => {
    for (const { title, noDataState, execErrState } of await rules()) {
      expect({ title, noDataState, execErrState }).toEqual({
        title,
        noDataState: "Alerting",
        execErrState: "Alerting",
      });
    }
  });

  it("have rules with one figure whatever the store holds, also nothing", async () => {
    for (const { title, data } of await rules()) {
      const sql = data.flatMap(({ model }) => model.rawSql ?? []);
      expect(sql, title).toHaveLength(1);
      const rows = await reader.query<Record<string, unknown>>(sql[0] ?? "");
      expect(rows, title).toHaveLength(1);
      expect(Object.values(rows[0] ?? {}), title).toEqual([expect.any(Number)]);
    }
  });

  it("count a store in which nothing was ever heard as silent", async () => {
    const silent = (await rules()).filter(({ title }) => title === "No canaries" || title === "No collector");
    expect(silent).toHaveLength(2);
    for (const { data } of silent) {
      const [row] = await reader.query<{ seconds: number }>(data[0]?.model.rawSql ?? "");
      expect(row?.seconds).toBeGreaterThan(1_800);
    }
  });
});
