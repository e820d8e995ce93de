import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { rowsOf, startEngineFixture, type EngineFixture } from "../testing/engine-fixture.ts";

let fixture: EngineFixture;
let secretFile: string;
beforeAll(async () => {
  fixture = await startEngineFixture();
  secretFile = join(fixture.directory, "secret.csv");
  writeFileSync(secretFile, "top,secret\n");
  await fixture.service.command({
    query: "CREATE TABLE kept (a Int32, file_name String) ENGINE = MergeTree ORDER BY a",
  });
  await fixture.service.insert({ table: "kept", values: [{ a: 1, file_name: "x" }], format: "JSONEachRow" });
});
afterAll(() => fixture.close());

/** FILE stands for the path of a file that holds the word `secret`, OUT for one that must not come to exist. */
const REFUSED = [
  // writing
  "INSERT INTO kept VALUES (2, '')",
  "insert/**/into kept select 3, ''",
  'INSERT INTO kept FORMAT JSONEachRow {"a":4}',
  "WITH 5 AS x INSERT INTO kept SELECT x, ''",
  "ALTER TABLE kept DELETE WHERE 1",
  "DELETE FROM kept WHERE 1",
  "UPDATE kept SET a = 9 WHERE 1",
  "OPTIMIZE TABLE kept FINAL",
  "TRUNCATE TABLE kept",
  "(SELECT 1); DROP TABLE kept",
  // definitions
  "CREATE TABLE made (a Int8) ENGINE = Memory",
  "CREATE TEMPORARY TABLE made (a Int8)",
  "CREATE TABLE made (c String) ENGINE = File(CSV, 'FILE')",
  "CREATE TABLE made (c String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
  "CREATE VIEW made AS SELECT * FROM file('FILE')",
  "CREATE FUNCTION made AS x -> x",
  "-- harmless\nDROP TABLE kept",
  "#! harmless\nDROP TABLE kept",
  "/* SELECT */ dRoP tAbLe kept",
  "RENAME TABLE kept TO gone",
  "DETACH TABLE kept",
  "ATTACH TABLE kept",
  "USE system",
  "EXCHANGE TABLES kept AND kept",
  // control
  "SET max_execution_time = 0",
  "SET readonly = 0",
  "KILL QUERY WHERE 1",
  "SYSTEM SHUTDOWN",
  "SYSTEM FLUSH LOGS",
  "BACKUP TABLE kept TO File('OUT')",
  "GRANT ALL ON *.* TO default",
  "SELECT 1 SETTINGS max_memory_usage = 0",
  "SELECT 1 SETTINGS readonly = 0",
  "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
  "SELECT * FROM (SELECT 1 sEttings/**/`max_memory_usage`=0)",
  "SELECT 1; SELECT 2",
  "SELECT 1;;DROP TABLE kept",
  "SELECT 1\n\nDROP TABLE kept",
  "SELECT 1 FORMAT TSV\n\nDROP TABLE kept",
  // files
  "SELECT * FROM file('FILE')",
  "SELECT * FROM FiLe('FILE', 'CSV')",
  "SELECT * FROM `file`('FILE')",
  "SELECT * FROM \"file\" ( 'FILE' )",
  "SELECT * FROM/**/file/**/('FILE')",
  "SELECT * FROM file --\n ('FILE', 'CSV')",
  "SELECT * FROM `\\x66ile`('FILE')",
  "SELECT * FROM view(SELECT * FROM file('FILE'))",
  "SELECT 1 WHERE 'top' IN file('FILE')",
  "SELECT 1 WHERE 'top' IN (SELECT * FROM file('FILE'))",
  "WITH f AS (SELECT * FROM file('FILE')) SELECT * FROM f",
  "DESCRIBE file('FILE')",
  "DESCRIBE TABLE file('FILE', 'CSV')",
  "EXPLAIN SELECT * FROM file('FILE')",
  "SELECT file('FILE')",
  "SELECT arrayMap(file, ['FILE'])",
  "SELECT arrayMap(x -> `file`(x), ['FILE'])",
  "SELECT * APPLY file FROM (SELECT 'FILE' AS n)",
  "SELECT COLUMNS('n') APPLY(\"file\") FROM (SELECT 'FILE' AS n)",
  "SELECT * FROM 'FILE'",
  "SELECT * FROM `FILE`",
  'SELECT * FROM "FILE"',
  "SELECT * FROM default.`FILE`",
  "DESCRIBE `FILE`",
  "SELECT * FROM fileCluster('default', 'FILE')",
  "SELECT * FROM filesystem('/')",
  "SELECT * FROM sqlite('FILE', 't')",
  "SELECT * FROM executable('id', 'TSV', 'a String')",
  "SELECT * FROM deltaLakeLocal('FILE')",
  "SELECT 1 INTO OUTFILE 'OUT'",
  "SELECT 1 into/**/outfile 'OUT' TRUNCATE",
  "SELECT 1 INTO--\nOUTFILE 'OUT' FORMAT CSV",
  "EXPLAIN SELECT 1 INTO OUTFILE 'OUT'",
  "SELECT * FROM INFILE 'FILE'",
  // network
  "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
  "DESCRIBE TABLE url('http://127.0.0.1:1/')",
  "SELECT 1 WHERE 1 IN url('http://127.0.0.1:1/', 'CSV')",
  "SELECT * FROM uRlCluster('c', 'http://127.0.0.1:1/')",
  "SELECT * FROM s3('http://127.0.0.1:1/b/k')",
  "SELECT * FROM remote('127.0.0.1:1', system.one)",
  "SELECT * FROM remoteSecure('127.0.0.1:1', system.one)",
  "SELECT * FROM clusterAllReplicas('default', system.one)",
  "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p', 'a Int8')",
  "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
  "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'TSV')",
  "SELECT * FROM jdbc('jdbc:x', 's', 't')",
  "SELECT hasColumnInTable('127.0.0.1:1', 'd', 't', 'c')",
  "SELECT reverseDNSQuery('127.0.0.1')",
  "SELECT * FROM eval('SELECT 1')",
  // what the two lexers could read differently
  "SELECT $x$a$x$",
  "SELECT ‘a’",
  "SELECT 1 /* not closed",
  "SELECT 'not closed",
  "",
  ";",
] as const;

describe("a reader", () => {
  it.each(REFUSED.map((sql) => [sql]))("is refused: %s", async (sql) => {
    const out = join(fixture.directory, "out.csv");
    const statement = sql
      .replaceAll("FILE'", `${secretFile}'`)
      .replaceAll("FILE`", `${secretFile}\``)
      .replaceAll('FILE"', `${secretFile}"`)
      .replaceAll("OUT'", `${out}'`);
    const response = await fetch(fixture.engine.url(), { method: "POST", body: statement });
    expect(response.status, await response.clone().text()).toBeGreaterThanOrEqual(400);
    // The statement's own text may come back in the message, the file's content never.
    expect(await response.text()).not.toContain("top");
    expect(existsSync(out)).toBe(false);
    expect(await rowsOf(fixture.service, "SELECT a FROM kept")).toEqual([{ a: 1 }]);
    expect(await rowsOf(fixture.service, "SELECT name FROM system.tables WHERE name = 'made'")).toEqual([]);
  });

  it.each([
    "SELECT * FROM `kept` WHERE file_name != 'file(''x''); DROP TABLE kept -- INTO OUTFILE'",
    "WITH 1 AS x SELECT x;",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SHOW TABLES",
    "DESCRIBE TABLE kept",
    "EXISTS TABLE kept",
    "EXPLAIN SELECT * FROM kept",
    "SELECT * FROM numbers(3) AS a, values('a Int8', 1) AS b",
    "SELECT format('{} {}', 'a', 'b') -- a comment; with everything in it: file('x')",
    "SELECT name FROM system.columns WHERE table = 'kept'",
    "SELECT * FROM generateRandom('a Int8') LIMIT 1",
  ])("may read: %s", async (sql) => {
    const response = await fetch(fixture.engine.url(), { method: "POST", body: sql });
    expect(response.status, await response.text()).toBe(200);
  });

  it("finds no file under a table name, not even after the service looked for it", async () => {
    for (const sql of [`SELECT * FROM "${secretFile}"`, `SELECT * FROM default.\`${secretFile}\``]) {
      await expect(rowsOf(fixture.service, sql)).rejects.toMatchObject({ type: "UNKNOWN_TABLE" });
      await expect(rowsOf(fixture.reader, sql)).rejects.toMatchObject({ type: "UNKNOWN_TABLE" });
    }
    expect(await rowsOf(fixture.reader, `EXISTS TABLE "${secretFile}"`)).toEqual([{ result: 0 }]);
  });

  it("finds no credential in the system tables", async () => {
    const { password } = fixture.engine.serviceCredentials();
    for (const table of ["processes", "settings", "server_settings", "users", "named_collections", "build_options"]) {
      const response = await fetch(fixture.engine.url(), { method: "POST", body: `SELECT * FROM system.${table}` });
      expect(await response.text()).not.toContain(password);
    }
  });

  it("is not reached under a foreign host name", async () => {
    const { request } = await import("node:http");
    const status = await new Promise((resolve) => {
      request(fixture.engine.url(), { headers: { Host: "evil.example" } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });
});
