import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";

import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { rowsOf, startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";

let fixture: EngineFixture;
beforeAll(async () => {
  fixture = await startEngineFixture();
});
afterAll(() => fixture.close());

async function failureOf(work: Promise<unknown>): Promise<ClickHouseError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClickHouseError);
  return error as ClickHouseError;
}

const post = (path: string, init: RequestInit = {}) => fetch(fixture.engine.url() + path, { method: "POST", ...init });
const asService = () => {
  const { username, password } = fixture.engine.serviceCredentials();
  return { "X-ClickHouse-User": username, "X-ClickHouse-Key": password };
};

describe("the official client", () => {
  it("pings", async () => {
    expect(await fixture.reader.ping()).toMatchObject({ success: true });
    expect(await (await fetch(fixture.engine.url())).text()).toBe("Ok.\n");
  });

  it("binds parameters of every type it offers, hostile values included", async () => {
    const text = "it's \\ \t\n\n; DROP TABLE x -- \u0000 ☃ {a:String}";
    const result = await fixture.reader.query({
      query: `SELECT {s:String} AS s, toString({u:UInt64}) AS u, toString({d:DateTime64(9)}) AS d, {a:Array(String)} AS a,
        {m:Map(String, String)} AS m, {n:Nullable(String)} AS n, {b:Bool} AS b, count() AS c
        FROM {db:Identifier}.{t:Identifier}`,
      query_params: {
        s: text,
        u: "18446744073709551615",
        d: "2026-01-02 03:04:05.123456789",
        a: ["x'y", "\\", "\n\n"],
        m: { "k'": "v\\" },
        n: null,
        b: true,
        db: "system",
        t: "one",
      },
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([
      {
        s: text,
        u: "18446744073709551615",
        d: "2026-01-02 03:04:05.123456789",
        a: ["x'y", "\\", "\n\n"],
        m: { "k'": "v\\" },
        n: null,
        b: true,
        c: 1,
      },
    ]);
  });

  it("streams JSONEachRow", async () => {
    const result = await fixture.reader.query({
      query: "SELECT number AS n FROM numbers(20000)",
      format: "JSONEachRow",
    });
    let sum = 0;
    for await (const rows of result.stream<{ n: number }>()) for (const row of rows) sum += row.json().n;
    expect(sum).toBe(199_990_000);
  });

  it("runs commands, inserts rows and streams, and executes", async () => {
    await fixture.service.command({
      query: "CREATE TABLE people (id UInt64, name String) ENGINE = MergeTree ORDER BY id",
    });
    await fixture.service.insert({ table: "people", values: [{ id: 1, name: "Ada" }], format: "JSONEachRow" });
    const csv = Readable.from(['2,"Grace ""H"""\n', "3,Edsger\n"], { objectMode: false });
    await fixture.service.insert({ table: "people", values: csv, format: "CSV", columns: ["id", "name"] });
    await fixture.service.command({ query: "INSERT INTO people (id, name) VALUES (4, 'a;b'), (5, '')" });
    await fixture.service.command({ query: "INSERT INTO people SELECT id + 10, name FROM people WHERE id = 1" });
    const { stream } = await fixture.service.exec({ query: "SELECT count() FROM people FORMAT TSV" });
    expect(Buffer.concat(await stream.toArray()).toString()).toBe("6\n");
    expect(await rowsOf(fixture.reader, "SELECT name FROM people ORDER BY id")).toEqual(
      ["Ada", 'Grace "H"', "Edsger", "a;b", "", "Ada"].map((name) => ({ name })),
    );
  });

  it("meets the defaults of columns that rows leave out", async () => {
    const ddl = "CREATE TABLE defaults (a UInt8, b String DEFAULT 'none', c UInt8 MATERIALIZED a + 1) ENGINE = Memory";
    await fixture.service.command({ query: ddl });
    await fixture.service.insert({ table: "defaults", values: [{ a: 1 }], format: "JSONEachRow" });
    expect(await rowsOf(fixture.reader, "SELECT a, b, c FROM defaults")).toEqual([{ a: 1, b: "none", c: 2 }]);
  });

  it("gets typed errors", async () => {
    const unknown = await failureOf(fixture.reader.query({ query: "SELECT nope FROM system.one" }));
    expect(unknown).toMatchObject({ code: "47", type: "UNKNOWN_IDENTIFIER" });
    expect(await failureOf(fixture.reader.query({ query: "SELECT (1" }))).toMatchObject({
      type: "SYNTAX_ERROR",
    });
    const badRow = { table: "defaults", values: [{ a: "many" }], format: "JSONEachRow" } as const;
    const refused = await failureOf(fixture.service.insert(badRow));
    expect(refused.type).toMatch(/^CANNOT_PARSE/);
    expect(refused.message).not.toContain(fixture.directory);
    const setting = { query: "SELECT 1", clickhouse_settings: { allow_ddl: 1 } } as const;
    expect(await failureOf(fixture.reader.query(setting))).toMatchObject({ code: "115", type: "UNKNOWN_SETTING" });
  });

  it("with a wrong password for the service is refused", async () => {
    const client = createClient({
      url: fixture.engine.url(),
      username: "service",
      password: "guess",
      log: { level: ClickHouseLogLevel.OFF },
    });
    const error = await failureOf(client.command({ query: "SELECT 1" }));
    expect(error).toMatchObject({ code: "516", type: "AUTHENTICATION_FAILED" });
    await client.close();
  });
});

describe("the HTTP interface", () => {
  it("takes the query from the URL, the body and both", async () => {
    expect(await (await fetch(`${fixture.engine.url()}/?query=SELECT%201`)).text()).toBe("1\n");
    expect(await (await post("/", { body: "SELECT 2" })).text()).toBe("2\n");
    expect(await (await post("/?query=SELECT", { body: "3" })).text()).toBe("3\n");
    expect(
      await (
        await post("/?default_format=JSONCompactEachRow&database=system", { body: "SELECT dummy FROM one" })
      ).text(),
    ).toBe("[0]\n");
  });

  it("answers with ClickHouse's headers and statuses", async () => {
    const fine = await post("/?query_id=q-1", { body: "SELECT 1" });
    expect(fine.headers.get("x-clickhouse-query-id")).toBe("q-1");
    expect(JSON.parse(fine.headers.get("x-clickhouse-summary") ?? "")).toHaveProperty("read_rows");
    const missing = await post("/", { body: "SELECT * FROM nowhere" });
    expect([missing.status, missing.headers.get("x-clickhouse-exception-code")]).toEqual([404, "60"]);
    expect(await missing.text()).toMatch(/^Code: 60\. DB::Exception: .*\(UNKNOWN_TABLE\) \(version [\d.]+\)\n$/s);
    expect((await post("/nothing")).status).toBe(500);
  });

  it("inflates and deflates, and stops a body that grows beyond its bound", async () => {
    const response = await post("/", {
      body: gzipSync("SELECT repeat('x', 1000)"),
      headers: { "Content-Encoding": "gzip", "Accept-Encoding": "gzip" },
    });
    expect(await response.text()).toHaveLength(1001);
    expect(response.headers.get("content-encoding")).toBe("gzip");
    const bomb = gzipSync(Buffer.alloc(2 ** 22, "a"));
    expect(gunzipSync(bomb)).toHaveLength(2 ** 22);
    expect((await post("/", { body: bomb, headers: { "Content-Encoding": "gzip" } })).status).toBe(413);
    expect((await post("/", { body: "xx", headers: { "Content-Encoding": "br" } })).status).toBe(501);
  });

  it("lets no GET write, not even one of the service", async () => {
    const url = `${fixture.engine.url()}/?query=${encodeURIComponent("CREATE TABLE by_get (a Int8) ENGINE = Memory")}`;
    const response = await fetch(url, { headers: asService() });
    expect([response.status, response.headers.get("x-clickhouse-exception-code")]).toEqual([403, "164"]);
  });

  it("caps what a request may ask for", async () => {
    const slow = "SELECT count() FROM numbers(1000000000000)";
    const response = await post("/?max_execution_time=0.3", { body: slow });
    expect(response.headers.get("x-clickhouse-exception-code")).toBe("159");
    const read = await post("/?max_execution_time=100000", { body: "SELECT getSetting('max_execution_time')" });
    expect(await read.text()).toBe("30\n");
    const memory = await post("/?max_memory_usage=0", { body: "SELECT getSetting('max_memory_usage') > 0" });
    expect(await memory.text()).toBe("1\n");
  });
});
