import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../config.ts";
import { readAgentContracts } from "./agent-contracts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-contracts-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileWith(text: string): Promise<string> {
  const file = join(folder, "contracts.json");
  await writeFile(file, text);
  return file;
}

const problemsOf = async (text: string): Promise<readonly string[]> => {
  const error: unknown = await readAgentContracts(await fileWith(text)).catch((caught: unknown) => caught);
  if (error instanceof ConfigError) return error.problems;
  throw new Error("the file is good");
};

describe("the contracts of agents that others instrument", () => {
  test("are read by agent name, which the contract need not repeat", async () => {
    const text = JSON.stringify({ guide: { limits: { timeoutSeconds: 5 } }, other: { agent: "other" } });
    const contracts = await readAgentContracts(await fileWith(text));
    expect(contracts["guide"]).toMatchObject({ agent: "guide", limits: { timeoutSeconds: 5 } });
    expect(Object.keys(contracts)).toEqual(["guide", "other"]);
    expect(await readAgentContracts(undefined)).toEqual({});
  });

  test("are refused with every problem at once", async () => {
    const text = JSON.stringify({ a: { nonsense: 1 }, b: { agent: "c" }, d: 5 });
    const problems = await problemsOf(text);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain('"a"');
    expect(problems[1]).toContain('another agent than its contract\'s, "c"');
    expect(await problemsOf("{")).toEqual([expect.stringContaining("no JSON object")]);
    await expect(readAgentContracts(join(folder, "nowhere"))).rejects.toThrow("ENOENT");
  });
});
