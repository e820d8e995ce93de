import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const MEASURE = fileURLToPath(new URL("./testing/measure-hostile-bodies.ts", import.meta.url));
const MIB = 1024 ** 2;

async function measure(body: string): Promise<{ status: number; millis: number; grownBytes: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [MEASURE, body]);
  return JSON.parse(stdout) as { status: number; millis: number; grownBytes: number };
}

/** Times are loose: the machine may be busy. Unlimited, the first body costs 1.9 GiB and 9.5 s. */
describe("a hostile body costs little", () => {
  it.each([
    ["gzip-bomb", 413, 48],
    ["lying-gzip-bomb", 413, 110],
    ["deep-json", 400, 16],
    ["deep-json-objects", 400, 16],
    ["many-json-attributes", 413, 32],
    ["empty-spans", 413, 160],
  ])("%s is answered with %d and grows the process by less than %d MiB", async (body, status, maxGrownMib) => {
    const result = await measure(body);
    expect(result.status).toBe(status);
    expect(result.grownBytes).toBeLessThan(maxGrownMib * MIB);
    expect(result.millis).toBeLessThan(3_000);
  });
});
