import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineContract } from "../contract/contract.ts";
import { closeRun } from "../run/close-run.ts";
import { startRun } from "../run/start-run.ts";
import { only, startRecorder, type Recorder } from "../run/testing/recorder.ts";
import * as semconv from "../semconv.ts";
import { localProject } from "./run-project.ts";

let folder = "";
let recorder: Recorder | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-project-"));
  await mkdir(join(folder, ".runproof"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await recorder?.close();
  recorder = undefined;
  await rm(folder, { recursive: true, force: true });
});

const keep = (text: string) => writeFile(join(folder, ".runproof/scope.json"), text);
const document = (scope: string | null) => JSON.stringify({ format_version: 1, scope, generation: 1 });

describe("the project of runs", () => {
  it("is the local persisted scope, unless code or environment name another", async () => {
    await keep(document("staging"));
    vi.stubEnv("RUNPROOF_SCOPE_FILE", join(folder, ".runproof/scope.json"));
    for (const [project, options, env] of [
      ["staging", {}, undefined],
      ["shop", {}, "shop"],
      ["code", { project: "code" }, "shop"],
    ] as const) {
      vi.stubEnv("RUNPROOF_PROJECT", env);
      recorder = await startRecorder(options);
      await closeRun(await startRun(defineContract({ agent: "writer" })));
      const record = only(recorder.direct(), semconv.RUN_EVENT_START);
      expect(record.attributes[semconv.ATTR_PROJECT]).toBe(project);
      await recorder.close();
    }
    recorder = undefined;
  });

  it("is nobody's where nothing is kept, and none, not the default, where the file cannot be read", async () => {
    expect(localProject({}, folder)).toBeUndefined();
    await keep(document(null));
    expect(localProject({}, folder)).toBeUndefined();
    for (const text of ["{", document("../x"), " ".repeat(10_000)]) {
      await keep(text);
      expect(localProject({}, folder)).toBe("");
    }
  });
});
