import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import { createStore } from "./store.ts";
import { rowsOf, startEngineFixture, type EngineFixture } from "./testing/engine-fixture.ts";

/** The SQL for a server of the user's own. The embedded engine has no users to create, so it checks what it can. */

const FILE = new URL("../../deploy/clickhouse-server/projects.sql", import.meta.url);

let fixture: EngineFixture;
let statements: string[];

beforeAll(async () => {
  fixture = await startEngineFixture();
  const store = createStore({ url: fixture.engine.url(), ...fixture.engine.serviceCredentials() });
  await store.migrate();
  await store.close();
  const text = (await readFile(FILE, "utf8")).replaceAll(/^--.*$/gm, "").replaceAll("SHOP", "my-project");
  statements = text.split(/;\s*\n/).flatMap((statement) => statement.trim() || []);
});
afterAll(() => fixture.close());

it("is SQL to the engine's parser", async () => {
  expect(statements.length).toBeGreaterThan(10);
  for (const statement of statements) {
    const query = "SELECT formatQuery({statement:String})";
    const result = await fixture.service.query({ query, query_params: { statement } });
    expect((await result.text()).length).toBeGreaterThan(10);
  }
});

it("hands no LowCardinality column on, for its dictionary holds values of other projects", async () => {
  for (const statement of statements.filter((one) => /^CREATE (?:DATABASE|OR REPLACE VIEW)/.test(one))) {
    await fixture.service.command({ query: statement.replace(/DEFINER = \S+ SQL SECURITY DEFINER/, "") });
  }
  const columns = await rowsOf<{ table: string; type: string }>(
    fixture.service,
    "SELECT table, type FROM system.columns WHERE database = 'my-project'",
  );
  const monitored = ["runproof_canary_rounds", "runproof_canary_results", "runproof_alerts"];
  expect(new Set(columns.map(({ table }) => table))).toEqual(
    new Set(["otel_traces", "otel_logs", "runproof_runs", ...monitored]),
  );
  expect(columns.filter(({ type }) => type.includes("LowCardinality"))).toEqual([]);
});
