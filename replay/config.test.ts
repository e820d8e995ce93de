import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "./config.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "runproof-config-"));
  await mkdir(join(root, "repo", "deep", "er"), { recursive: true });
  await mkdir(join(root, "repo", ".git"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (path: string, text: string) => writeFile(join(root, path), text);

describe("the configuration", () => {
  test("is the nearest one upwards", async () => {
    await write("repo/runproof.config.mjs", "export default { agents: { far: { module: './far.ts' } } };");
    expect((await loadConfig(join(root, "repo/deep/er"))).config.agents).toHaveProperty("far");
    await write(
      "repo/deep/runproof.config.ts",
      "export default { agents: { near: { module: './near.ts' } } as object };",
    );
    const near = await loadConfig(join(root, "repo/deep/er"));
    expect(near).toMatchObject({ directory: join(root, "repo/deep") });
    expect(near.config.agents["near"]).toEqual({
      module: "./near.ts",
      export: "default",
      ignore: [],
      passEnvironment: [],
      live: { tools: [], hosts: [], headers: {} },
      native: false,
      baseUrls: {},
    });
  });

  test("is not looked for above the repository", async () => {
    await write("runproof.config.mjs", "export default { agents: { outside: { module: 'x' } } };");
    expect(await loadConfig(join(root, "repo/deep"))).toEqual({
      path: null,
      directory: join(root, "repo/deep"),
      config: { agents: {} },
    });
  });

  test("names all its problems at once", async () => {
    const text =
      "export default { agents: { a: { modul: 'x' } }, fixturesDirectory: 1, clickhouseUrl: 'no', extra: true };";
    await write("repo/runproof.config.mjs", text);
    const error = await loadConfig(join(root, "repo")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "RUNPROOF_CONFIG_INVALID" });
    for (const key of ["agents.a: an agent is either", "modul", "fixturesDirectory", "clickhouseUrl", "extra"]) {
      expect(String(error)).toContain(key);
    }
  });

  test("that cannot be loaded or exports nothing is told as such", async () => {
    await write("repo/runproof.config.mjs", "export const agents = {};");
    await expect(loadConfig(join(root, "repo"))).rejects.toThrow("no default export");
    await write("repo/deep/runproof.config.mjs", "throw new Error('broken inside');");
    await expect(loadConfig(join(root, "repo/deep"))).rejects.toThrow("broken inside");
  });
});
