import { afterAll, beforeAll, expect, it } from "vitest";

import { rowsOf, startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";

let fixture: EngineFixture;
beforeAll(async () => {
  fixture = await startEngineFixture();
});
afterAll(() => fixture.close());

const ddl = (query: string) => fixture.service.command({ query });
const insert = (row: object) => fixture.service.insert({ table: "t", values: [row], format: "JSONEachRow" });
const rows = () => rowsOf(fixture.service, "SELECT * FROM t ORDER BY id");

it("an insert finds the columns of a table as the last statement left them", async () => {
  await ddl("CREATE TABLE t (id UInt8) ENGINE = MergeTree ORDER BY id");
  await insert({ id: 1 });
  await ddl("ALTER TABLE t ADD COLUMN added String");
  await insert({ id: 2, added: "x" });
  expect(await rows()).toEqual([
    { id: 1, added: "" },
    { id: 2, added: "x" },
  ]);
  await ddl("ALTER TABLE t RENAME COLUMN added TO renamed");
  await insert({ id: 3, renamed: "y" });
  await ddl("DROP TABLE t");
  await expect(insert({ id: 4 })).rejects.toThrow(/t does not exist|UNKNOWN_TABLE/);
  await ddl("CREATE TABLE t (id UInt8, other Float64) ENGINE = MergeTree ORDER BY id");
  await insert({ id: 5, other: 0.5 });
  expect(await rows()).toEqual([{ id: 5, other: 0.5 }]);
});

it("an insert finds the columns of a table that took the name of another", async () => {
  await ddl("CREATE TABLE swapped (id UInt8, a String) ENGINE = MergeTree ORDER BY id");
  await ddl("CREATE TABLE other (id UInt8, b String) ENGINE = MergeTree ORDER BY id");
  const into = (row: object) => fixture.service.insert({ table: "swapped", values: [row], format: "JSONEachRow" });
  await into({ id: 1, a: "x" });
  await ddl("EXCHANGE TABLES swapped AND other");
  await into({ id: 2, b: "y" });
  expect(await rowsOf(fixture.service, "SELECT * FROM swapped")).toEqual([{ id: 2, b: "y" }]);
});
