import { describe, expect, it } from "vitest";

import type { EngineResult, EngineStatement } from "./engine-sessions.ts";
import { createTableColumns, mayChangeTables } from "./table-columns.ts";

/** An engine whose answers a test gives when it wants to. */
function engine() {
  const asked: EngineStatement[] = [];
  const answers: ((result: EngineResult) => void)[] = [];
  const run = (statement: EngineStatement): Promise<EngineResult> => {
    asked.push(statement);
    return new Promise((resolve) => answers.push(resolve));
  };
  const answer = (at: number, name: string): void =>
    answers[at]?.({
      bytes: Buffer.from(`${JSON.stringify({ name, type: "String", default_type: "", default_expression: "" })}\n`),
      elapsedSeconds: 0,
      rowsRead: 0,
      bytesRead: 0,
    });
  return { asked, answer, tables: createTableColumns({ run }) };
}

const nameOf = async (columns: Promise<readonly { name: string }[]>) => (await columns)[0]?.name;

describe("columns of tables", () => {
  it("are asked for once per table and database", async () => {
    const { asked, answer, tables } = engine();
    const first = tables.of("t", undefined);
    answer(0, "a");
    expect(await nameOf(first)).toBe("a");
    expect(await nameOf(tables.of("t", undefined))).toBe("a");
    void tables.of("t", "other");
    void tables.of("u", undefined);
    expect(asked.map(({ sql, database }) => [sql, database])).toEqual([
      ["DESCRIBE TABLE t", undefined],
      ["DESCRIBE TABLE t", "other"],
      ["DESCRIBE TABLE u", undefined],
    ]);
  });

  it("are asked for again once a table may have changed, also when an answer was under way", async () => {
    const { asked, answer, tables } = engine();
    const before = tables.of("t", undefined);
    tables.forget();
    answer(0, "old");
    expect(await nameOf(before)).toBe("old");
    const after = tables.of("t", undefined);
    answer(1, "new");
    expect(await nameOf(after)).toBe("new");
    expect(asked).toHaveLength(2);
  });
});

it.each([
  ["SELECT 1", false],
  ["/* x */ with a AS (SELECT 1) SELECT * FROM a", false],
  ["insert into t SELECT 1", false],
  ["ALTER TABLE t ADD COLUMN c String", true],
  ["-- x\ncreate table t (a Int8) ENGINE = Memory", true],
  ["SYSTEM RELOAD DICTIONARIES", true],
  ["", true],
])("of %j it is known whether it may change tables", (sql, expected) => {
  expect(mayChangeTables(sql)).toBe(expected);
});
