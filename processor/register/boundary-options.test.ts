import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { boundaryOptions } from "./boundary-options.ts";

let cwd: string;
let warnings: string[];
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "runproof-options-"));
  warnings = [];
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const options = (env: Record<string, string>, config: object = {}) =>
  boundaryOptions({
    env,
    cwd,
    warn: (message) => warnings.push(message),
    config: { disabled: [], http: {}, ...config },
  });

it("variables win over the configuration", () => {
  const config = { boundary: ["agent" as const], agentName: "file" };
  expect(options({}, config)).toMatchObject({ boundaries: ["agent"], agentName: "file" });
  expect(options({ RUNPROOF_BOUNDARY: " http, process", RUNPROOF_AGENT_NAME: "env" }, config)).toMatchObject({
    boundaries: ["http", "process"],
    agentName: "env",
  });
});

it("an unknown boundary is told of, and the known ones hold", () => {
  expect(options({ RUNPROOF_BOUNDARY: "http,sometimes" }).boundaries).toEqual(["http"]);
  expect(options({ RUNPROOF_BOUNDARY: "none" }).boundaries).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining("sometimes")]);
});

it("nameless agents go by the service's name, else the package's", () => {
  writeFileSync(join(cwd, "package.json"), '{ "name": "my-agent" }');
  expect(options({}).fallbackName).toBe("my-agent");
  expect(options({ OTEL_SERVICE_NAME: "service" }).fallbackName).toBe("service");
  writeFileSync(join(cwd, "package.json"), "no JSON");
  expect(options({}).fallbackName).not.toBe("my-agent");
});
