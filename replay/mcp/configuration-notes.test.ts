import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationNotes } from "./configuration-notes.ts";

test("a configuration that was changed, added or taken away is noticed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "runproof-mcp-config-"));
  try {
    await mkdir(join(folder, ".git"));
    const none = await configurationNotes(folder);
    expect(await none()).toEqual([]);
    await writeFile(join(folder, "runproof.config.mjs"), "export default {};");
    expect(await none()).toEqual([expect.stringContaining("start the server again")]);
    const some = await configurationNotes(folder);
    expect(await some()).toEqual([]);
    await writeFile(join(folder, "runproof.config.mjs"), "export default { agents: {} };");
    expect(await some()).toHaveLength(1);
    await rm(join(folder, "runproof.config.mjs"));
    expect(await some()).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
