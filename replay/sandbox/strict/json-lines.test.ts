import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { readJsonLines } from "./json-lines.ts";

async function read(...chunks: readonly string[]): Promise<{ values: unknown[]; isOpen: boolean }> {
  const stream = new PassThrough();
  const values: unknown[] = [];
  readJsonLines(stream, (value) => values.push(value));
  for (const chunk of chunks) stream.write(chunk);
  await setImmediate();
  return { values, isOpen: !stream.destroyed };
}

test("lines come whole, however they were cut", async () => {
  const { values } = await read('{"a":', "1}\n[2]\n", '"th', 'ree"\n{"unfinished"');
  expect(values).toEqual([{ a: 1 }, [2], "three"]);
});

test("what is no JSON ends the reading", async () => {
  expect(await read('{"a":1}\nnonsense\n{"b":2}\n')).toEqual({ values: [{ a: 1 }], isOpen: false });
});
