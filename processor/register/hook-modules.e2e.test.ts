import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ended } from "../testing/sdk-consumer.ts";

/** Packages of every form, patched while a real process loads them, through either kind of loader hook. */

const HOOKS = new URL("../../dist/processor/register/hook-modules.js", import.meta.url).href;
const GREET = `function greet() { return "plain"; }`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-hooks-"));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  await write(
    "node_modules/esm-stack/package.json",
    '{ "type": "module", "exports": { ".": "./index.js", "./deep": "./lib/deep.js" } }',
  );
  await write("node_modules/esm-stack/index.js", `export ${GREET} export { deep } from "./lib/deep.js";`);
  await write("node_modules/esm-stack/lib/deep.js", `export function deep() { return "plain"; }`);
  await write("node_modules/@scope/cjs-stack/package.json", '{ "main": "./main.js" }');
  await write(
    "node_modules/@scope/cjs-stack/main.js",
    `${GREET} module.exports = { greet, deep: () => require("./lib/deep").deep() };`,
  );
  await write("node_modules/@scope/cjs-stack/lib/deep.js", `exports.deep = () => "plain";`);
  await write("node_modules/broken-stack/index.js", `exports.fine = 1;`);
  await write(
    "preload.mjs",
    `
    import { hookModules } from ${JSON.stringify(HOOKS)};
    let calls = 0;
    const patch = (name) => (exports) => { calls++; exports[name] = () => "patched"; };
    hookModules([
      { module: "esm-stack", patch: patch("greet") },
      { module: "esm-stack", file: /^lib\\/deep\\.js$/, patch: patch("deep") },
      { module: "@scope/cjs-stack", patch: patch("greet") },
      { module: "@scope/cjs-stack", file: /^lib\\/deep\\.js$/, patch: patch("deep") },
      { module: "broken-stack", patch: () => { throw new Error("a patch with a bug"); } },
    ], process.env.IN_THREAD === "true");
    globalThis.patches = () => calls;`,
  );
  const body = `console.log(JSON.stringify({ esm: esm.greet(), esmDeep: esm.deep(), cjs: cjs.greet(), cjsDeep: cjs.deep(), fine: broken.fine, patches: patches() }));`;
  await write(
    "agent.mjs",
    `import * as esm from "esm-stack"; import cjs from "@scope/cjs-stack"; import broken from "broken-stack"; ${body}`,
  );
  await write(
    "agent.cjs",
    `const cjs = require("@scope/cjs-stack"); const broken = require("broken-stack");
    import("esm-stack").then((esm) => { ${body} });`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ["in the agent's thread", "true"],
  ["in a loader thread", "false"],
])("modules loaded with hooks %s", (_, inThread) => {
  it.each(["agent.mjs", "agent.cjs"])("are patched, entries and inner files, ESM and CommonJS: %s", async (agent) => {
    const run = await ended(join(folder, agent), [], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", IN_THREAD: inThread },
      // Newer versions of Node warn of the loader thread, which they need no more.
      node: ["--no-deprecation", "--import", "./preload.mjs"],
    });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toEqual({
      esm: "patched",
      esmDeep: "patched",
      cjs: "patched",
      cjsDeep: "patched",
      fine: 1,
      // Both the namespace and the default of a CommonJS module that is imported.
      patches: agent === "agent.mjs" ? 5 : 4,
    });
  });
});
