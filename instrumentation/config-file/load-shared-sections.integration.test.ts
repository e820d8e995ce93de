import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadSharedSections } from "./load-shared-sections.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "runproof-sections-"));
  await mkdir(join(root, ".git"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const load = async (text: string) => {
  await writeFile(join(root, "runproof.config.mjs"), text);
  return await loadSharedSections(root);
};

describe("what the agent's process reads of the configuration", () => {
  it("has its defaults where there is none", async () => {
    expect(await loadSharedSections(root)).toEqual({ instrumentation: { disabled: [], http: {} }, contracts: {} });
  });

  it("is the contracts by agent name, parsed, and its own section; what replays need is not looked into", async () => {
    const { instrumentation, contracts } = await load(
      `export default { clickhouseUrl: 5, fixturesDirectory: "x",
        instrumentation: { boundary: ["http", "job"], agentName: "a", http: { ignorePaths: ["/x*"] }, disabled: ["ai"] },
        agents: { writer: { module: 5, contract: { tools: { allowed: ["look"] } } }, other: {} } };`,
    );
    expect(instrumentation).toEqual({
      boundary: ["http", "job"],
      agentName: "a",
      http: { ignorePaths: ["/x*"] },
      disabled: ["ai"],
    });
    expect(Object.keys(contracts)).toEqual(["writer"]);
    expect(contracts["writer"]).toMatchObject({
      agent: "writer",
      tools: { allowed: ["look"] },
      limits: { timeoutSeconds: 3_600 },
    });
  });

  it("names all problems at once, those of contracts too", async () => {
    const loading = load(
      `export default { agnets: {}, instrumentation: { boundary: ["never"], agentname: 1 },
         agents: { a: { modul: "x" }, b: { contract: { artefacts: [] } }, c: { contract: { agent: "d" } }, e: { contract: 5 } } };`,
    );
    const problems = [
      "agnets",
      "instrumentation.boundary.0",
      "agentname",
      "agents.a",
      "modul",
      "agents.b.contract",
      "artefacts",
      'agents.c.contract.agent: must be "c", not "d"',
      "agents.e.contract",
    ];
    await expect(loading).rejects.toMatchObject({ code: "RUNPROOF_CONFIG_INVALID" });
    for (const problem of problems) await expect(loading).rejects.toThrow(problem);
  });

  it.each([
    "export default null;",
    "export default 5;",
    "export default { agents: 5 };",
    "export default { agents: { a: null } };",
  ])("is an error and nothing worse for %s", (text) =>
    expect(load(text)).rejects.toMatchObject({ code: "RUNPROOF_CONFIG_INVALID" }),
  );

  it("is an error for a contract that runs in circles", async () => {
    const text = "const contract = {}; contract.self = contract; export default { agents: { a: { contract } } };";
    await expect(load(text)).rejects.toThrow("agents.a.contract.contract: is not JSON");
  });
});
