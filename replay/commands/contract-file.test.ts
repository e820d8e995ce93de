import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readContractFile } from "./contract-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-contract-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const read = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return readContractFile(name, folder);
};

describe("a contract file", () => {
  it.each([
    ["c.json", '{"agent": "booker", "tools": {"forbidden": ["drop"]}}'],
    ["c.mjs", 'export default { agent: "booker", tools: { forbidden: ["drop"] } };'],
    ["c.ts", 'const agent: string = "booker"; export default { agent, tools: { forbidden: ["drop"] } };'],
  ])("is read from %s, with the defaults filled in", async (name, text) => {
    expect(await read(name, text)).toMatchObject({
      agent: "booker",
      version: 1,
      artifacts: [],
      tools: { forbidden: ["drop"] },
    });
  });

  it("is refused with every problem at once", async () => {
    const error = await read("bad.json", '{"artifact": [], "limits": {"timeoutSeconds": -1}}').catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "RUNPROOF_USAGE" });
    expect((error as Error).message).toMatch(/^--contract bad\.json is not a valid run contract:\n/);
    for (const key of ["agent", "artifact", "limits.timeoutSeconds"]) expect((error as Error).message).toContain(key);
  });

  it.each([
    ["absent.json", undefined, "cannot be read: ENOENT"],
    ["broken.json", "{", "cannot be read: "],
    ["null.json", "null", "is not a valid run contract"],
    ["empty.mjs", "export const contract = {};", "has no default export"],
    ["throws.mjs", 'throw new Error("no database");', "cannot be loaded: no database"],
    ["contract.yaml", "agent: booker", "a contract is a .json file"],
  ])("is refused when it is %s", async (name, text, reason) => {
    if (text !== undefined) await writeFile(join(folder, name), text);
    await expect(readContractFile(name, folder)).rejects.toThrow(reason);
  });
});
