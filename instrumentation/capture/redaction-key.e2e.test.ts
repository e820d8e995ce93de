import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadRedactionKey, REDACTION_KEY_FILE } from "./redaction-key.ts";

const run = promisify(execFile);
const hex = (key: string | Uint8Array): string => Buffer.from(key).toString("hex");

describe("loadRedactionKey", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "runproof-key-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("prefers the given key and writes nothing", () => {
    expect(loadRedactionKey({ stateDirectory: directory, fromOptions: "given" })).toBe("given");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("keeps a random key for its owner only and finds it again", () => {
    const stateDirectory = join(directory, "deep", "state");
    const key = loadRedactionKey({ stateDirectory });
    expect(key).toHaveLength(32);
    expect(hex(loadRedactionKey({ stateDirectory }))).toBe(hex(key));
    expect(statSync(join(stateDirectory, REDACTION_KEY_FILE)).mode & 0o777).toBe(0o600);
    expect(readdirSync(stateDirectory)).toEqual([REDACTION_KEY_FILE]);
  });

  it("lets processes that start together agree", async () => {
    const script = `import { loadRedactionKey } from ${JSON.stringify(join(import.meta.dirname, "redaction-key.ts"))};
      console.log(Buffer.from(loadRedactionKey({ stateDirectory: ${JSON.stringify(directory)} })).toString("hex"));`;
    const keys = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, ["--input-type=module", "-e", script])),
    );
    expect(new Set(keys.map(({ stdout }) => stdout.trim()))).toEqual(
      new Set([readFileSync(join(directory, REDACTION_KEY_FILE), "utf8").trim()]),
    );
  });

  it("falls back to a key of this process where none can be kept", () => {
    const blocked = join(directory, "file");
    writeFileSync(blocked, "");
    chmodSync(blocked, 0o400);
    const key = loadRedactionKey({ stateDirectory: join(blocked, "below") });
    expect(key).toHaveLength(32);
  });
});
