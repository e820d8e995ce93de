import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const SDK = new URL("./sdk.ts", import.meta.url).href;

/** A process in which the package is as if it were not installed. */
const WITHOUT = `
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith("@modelcontextprotocol/")) return next(specifier, context);
      throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    },
  });
  const { loadMcpSdk } = await import(${JSON.stringify(SDK)});
  console.log(JSON.stringify(await loadMcpSdk()));`;

test("without the SDK the error says what to install", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", WITHOUT]);
  expect(JSON.parse(stdout)).toEqual({ message: expect.stringContaining("npm install @modelcontextprotocol/sdk") });
});
