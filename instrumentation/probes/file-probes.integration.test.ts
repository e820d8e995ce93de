import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ArtifactObservation } from "../contract/evidence.ts";
import { sha256Hex } from "../json/canonical.ts";
import type { JsonObject } from "../json/json.ts";
import { probeFile } from "./file-probe.ts";
import { probePath } from "./path-probe.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "runproof-probe-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

describe("probeFile", () => {
  const probe = (ref: string, schema?: JsonObject, kind = "file"): Promise<ArtifactObservation> =>
    probeFile({ name: "report", kind, ref, schema }, { cwd, timeoutMillis: 3_000 });

  it("re-reads a file, relative, absolute or as a URL", async () => {
    const content = "é".repeat(400_000);
    writeFileSync(join(cwd, "r.md"), content);
    const seen = { state: "present", bytes: 800_000, sha256: sha256Hex(content), schemaErrors: null, detail: null };
    for (const ref of ["r.md", join(cwd, "r.md"), pathToFileURL(join(cwd, "r.md")).href]) {
      expect(await probe(ref)).toEqual({ name: "report", kind: "file", ref, ...seen });
    }
  });

  it("sees an empty file as present with no bytes", async () => {
    writeFileSync(join(cwd, "empty"), "");
    expect(await probe("empty")).toMatchObject({ state: "present", bytes: 0 });
  });

  it("tells missing from unreadable", async () => {
    mkdirSync(join(cwd, "folder"));
    symlinkSync("nowhere", join(cwd, "dangling"));
    expect(await probe("absent")).toMatchObject({ state: "missing", bytes: null, sha256: null });
    expect(await probe("dangling")).toMatchObject({ state: "missing" });
    expect(await probe("folder")).toMatchObject({ state: "unreadable", detail: "not a regular file" });
    expect(await probe("a\0b")).toMatchObject({ state: "unreadable" });
    expect(await probe("file://host/%00")).toMatchObject({ state: "unreadable" });
  });

  it("does not hang on a pipe", async () => {
    execFileSync("mkfifo", [join(cwd, "pipe")]);
    expect(await probe("pipe")).toMatchObject({ state: "unreadable", detail: "not a regular file" });
  });

  it.skipIf(process.getuid?.() === 0)("reports a file that may not be read", async () => {
    writeFileSync(join(cwd, "locked"), "x");
    chmodSync(join(cwd, "locked"), 0);
    expect(await probe("locked")).toMatchObject({
      state: "unreadable",
      detail: expect.stringContaining("EACCES") as string,
    });
  });

  it("holds JSON against the schema, and a broken schema is a finding", async () => {
    const schema = { type: "object", required: ["rows"], properties: { rows: { type: "array", minItems: 1 } } };
    writeFileSync(join(cwd, "good.json"), '{"rows":[1]}');
    writeFileSync(join(cwd, "bad.json"), '{"rows":[]}');
    writeFileSync(join(cwd, "torn.json"), '{"rows":[');
    expect((await probe("good.json", schema)).schemaErrors).toEqual([]);
    expect((await probe("bad.json", schema)).schemaErrors).toEqual([expect.stringMatching(/^\/rows: /)]);
    expect((await probe("torn.json", schema)).schemaErrors).toEqual(["content is not JSON"]);
    expect((await probe("torn.json", undefined, "json")).schemaErrors).toEqual(["content is not JSON"]);
    expect((await probe("good.json", { not: {} })).schemaErrors).toEqual([
      expect.stringContaining("cannot be compiled"),
    ]);
  });

  it("stops when it is told to", async () => {
    writeFileSync(join(cwd, "r.md"), "x");
    const seen = await probeFile({ name: "r", kind: "file", ref: "r.md" }, { cwd, signal: AbortSignal.abort() });
    expect(seen).toMatchObject({ state: "unreadable", detail: "aborted" });
  });
});

describe("probePath", () => {
  it("measures files and folders", async () => {
    mkdirSync(join(cwd, "out/deep"), { recursive: true });
    mkdirSync(join(cwd, "empty"));
    writeFileSync(join(cwd, "out/deep/a"), "12345");
    writeFileSync(join(cwd, "out/b"), "1");
    expect(await probePath("out/b", { cwd })).toEqual({ path: "out/b", exists: true, bytes: 1 });
    expect(await probePath("out", { cwd })).toEqual({ path: "out", exists: true, bytes: 6 });
    expect(await probePath("empty", { cwd })).toEqual({ path: "empty", exists: true, bytes: 0 });
    expect(await probePath("absent", { cwd })).toEqual({ path: "absent", exists: false, bytes: null });
    expect(await probePath("out/b/c", { cwd })).toEqual({ path: "out/b/c", exists: false, bytes: null });
    expect(await probePath("\0", { cwd })).toEqual({ path: "\0", exists: false, bytes: null });
  });
});
