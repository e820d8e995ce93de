import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { rowsOf, startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";

let fixture: EngineFixture;
beforeAll(async () => {
  fixture = await startEngineFixture();
  await fixture.service.command({ query: "CREATE TABLE victim (a Int8) ENGINE = MergeTree ORDER BY a" });
  await fixture.service.command({
    query: `CREATE TABLE target (id String, text String, events Nested (at DateTime64(9), name String))
      ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`,
  });
});
afterAll(() => fixture.close());

const BLANK_LINE_ATTACK = "\n\nDROP TABLE victim\n\n";
const victims = () => rowsOf(fixture.service, "SELECT count() AS n FROM system.tables WHERE name = 'victim'");

describe("foreign bytes", () => {
  it.each([
    ["JSONEachRow", `{"id":"1","text":"a"}${BLANK_LINE_ATTACK}`],
    ["JSONEachRow", `{"id":"2","text":"a${BLANK_LINE_ATTACK}"}`],
    ["JSONEachRow", `{"id":"3","text":"a"}\n;DROP TABLE victim;`],
    ["CSV", `4,"a${BLANK_LINE_ATTACK}"\n`],
    ["CSV", `5,a${BLANK_LINE_ATTACK}`],
    ["TabSeparated", `6\ta${BLANK_LINE_ATTACK}`],
    ["Values", `('7','a')${BLANK_LINE_ATTACK}`],
    ["Values", `('8','a${BLANK_LINE_ATTACK}')`],
  ] as const)("after a blank line stay data (%s: %j)", async (format, payload) => {
    const values = Readable.from([payload], { objectMode: false });
    const columns: [string, ...string[]] = ["id", "text"];
    // Stored as text or refused as malformed: both are fine, running it is not.
    await fixture.service.insert({ table: "target", columns, values, format: format as "CSV" }).catch(() => undefined);
    expect(await victims()).toEqual([{ n: 1 }]);
  });

  it("in the text of the statement stay data too", async () => {
    for (const query of [
      `INSERT INTO target (id, text) FORMAT JSONEachRow {"id":"9","text":"b"}${BLANK_LINE_ATTACK}`,
      `INSERT INTO target (id, text) VALUES ('10', 'b${BLANK_LINE_ATTACK}')`,
      `INSERT INTO target (id, text) VALUES ('11', 'b'); DROP TABLE victim`,
    ]) {
      await fixture.service.command({ query }).catch(() => undefined);
    }
    expect(await victims()).toEqual([{ n: 1 }]);
    const stored = await rowsOf<{ text: string }>(fixture.service, "SELECT text FROM target WHERE id = '10'");
    expect(stored).toEqual([{ text: `b${BLANK_LINE_ATTACK}` }]);
  });

  it("leave no file behind, accepted or refused", async () => {
    const row = { id: "12", text: "c" };
    await fixture.service.insert({ table: "target", columns: ["id", "text"], values: [row], format: "JSONEachRow" });
    const bad = { table: "target", values: [{ id: { no: "text" } }], format: "JSONEachRow" } as const;
    await fixture.service.insert(bad).catch(() => undefined);
    expect(await readdir(join(fixture.directory, "inbox"))).toEqual([]);
  });

  it("cannot name another source", async () => {
    for (const query of [
      "INSERT INTO FUNCTION file('x.csv') SELECT 1",
      "INSERT INTO target FROM INFILE '/etc/passwd' FORMAT CSV",
      "INSERT INTO target FORMAT Template",
    ]) {
      await expect(fixture.service.command({ query })).rejects.toThrow(/privileges|cannot be inserted/);
    }
  });
});

describe("an insert", () => {
  it("fills dotted nested columns with exact nanoseconds", async () => {
    const values = [{ id: "n", "events.at": ["1795242245.995000123"], "events.name": ["e"] }];
    await fixture.service.insert({
      table: "target",
      columns: ["id", "events.at", "events.name"],
      values,
      format: "JSONEachRow",
    });
    const sql =
      "SELECT toUnixTimestamp64Nano(events.at[1])::String AS at, events.name AS name FROM target WHERE id = 'n'";
    expect(await rowsOf(fixture.reader, sql)).toEqual([{ at: "1795242245995000123", name: ["e"] }]);
  });

  it("leaves out the columns it excepts", async () => {
    await fixture.service.insert({
      table: "target",
      columns: { except: ["events.at", "events.name"] },
      values: [{ id: "x", text: "excepted" }],
      format: "JSONEachRow",
    });
    expect(await rowsOf(fixture.reader, "SELECT text FROM target WHERE id = 'x'")).toEqual([{ text: "excepted" }]);
  });

  it("with a repeated deduplication token does nothing, whatever it holds", async () => {
    const send = (text: string, token: string) =>
      fixture.service.insert({
        table: "target",
        columns: ["id", "text"],
        values: [{ id: "dedup", text }],
        format: "JSONEachRow",
        clickhouse_settings: { insert_deduplication_token: token },
      });
    await send("first", "token-1");
    await send("first", "token-1");
    await send("other", "token-1");
    await send("first", "token-2");
    const sql = "SELECT text FROM target WHERE id = 'dedup'";
    expect(await rowsOf(fixture.reader, sql)).toEqual([{ text: "first" }, { text: "first" }]);
  });

  it("takes a Native block byte for byte", async () => {
    const { username, password } = fixture.engine.serviceCredentials();
    const headers = { "X-ClickHouse-User": username, "X-ClickHouse-Key": password };
    await fixture.service.command({ query: "CREATE TABLE copied (a UInt64, s String) ENGINE = MergeTree ORDER BY a" });
    const select = "SELECT number AS a, char(10, 10, 0, 255, number % 256) AS s FROM numbers(5000) FORMAT Native";
    const native = await (await fetch(fixture.engine.url(), { method: "POST", headers, body: select })).arrayBuffer();
    const query = encodeURIComponent("INSERT INTO copied FORMAT Native");
    const response = await fetch(`${fixture.engine.url()}/?query=${query}`, { method: "POST", headers, body: native });
    expect(await response.text()).toBe("");
    const check = "SELECT count() AS n, countIf(s = char(10, 10, 0, 255, a % 256)) AS same FROM copied";
    expect(await rowsOf(fixture.reader, check)).toEqual([{ n: 5000, same: 5000 }]);
  });
});
