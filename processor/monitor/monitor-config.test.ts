import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadServiceConfig } from "../config.ts";
import { gatePolicyFrom, webhooksFrom } from "./monitor-config.ts";
import { STRICT_POLICY } from "./gate/gate-input.ts";

const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const webhooks = JSON.stringify([{ url: "https://hooks.example/x", secret }]);

describe("the monitor's configuration", () => {
  it("is strict by default", () => {
    expect(gatePolicyFrom(loadServiceConfig({}))).toEqual(STRICT_POLICY);
  });

  it("comes as text from variables", () => {
    const config = loadServiceConfig({
      RUNPROOF_MONITOR_INTERVAL_SECONDS: "0.5",
      RUNPROOF_GATE_TIERS: "critical, broad",
      RUNPROOF_GATE_ALERTS_CLOSE: "false",
      RUNPROOF_GATE_MAX_ABANDONED_RUNS: "3",
      RUNPROOF_WEBHOOK_ALLOW_PRIVATE: "true",
    });
    expect(config).toMatchObject({ monitorIntervalSeconds: 0.5, webhookAllowPrivate: true });
    expect(gatePolicyFrom(config)).toMatchObject({
      tiers: ["critical", "broad"],
      alertsClose: false,
      maxAbandonedRuns: 3,
    });
  });

  it.each([
    ["RUNPROOF_MONITOR_INTERVAL_SECONDS", "0.1"],
    ["RUNPROOF_GATE_TIERS", "critical,,broad"],
    ["RUNPROOF_GATE_ALLOW_NO_FIXTURES", "yes"],
    ["RUNPROOF_GATE_MAX_UNVERIFIED_RUNS", "-1"],
  ])("refuses %s=%s", (variable, value) => {
    expect(() => loadServiceConfig({ [variable]: value })).toThrow("not valid");
  });
});

describe("webhooks", () => {
  it("are read from the text or from a file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runproof-hooks-"));
    const file = join(directory, "hooks.json");
    await writeFile(file, webhooks);
    const expected = [{ url: new URL("https://hooks.example/x"), secret }];
    expect(await webhooksFrom({ webhooks })).toEqual(expected);
    expect(await webhooksFrom({ webhooks: file })).toEqual(expected);
    expect(await webhooksFrom({ webhooks: undefined })).toEqual([]);
    await rm(directory, { recursive: true });
  });

  it.each([
    ["no JSON", "[secret-in-clear"],
    ["no file", "does-not-exist.json"],
    ["a short secret", JSON.stringify([{ url: "https://x.example", secret: "short" }])],
    ["a short secret in base64", JSON.stringify([{ url: "https://x.example", secret: "whsec_c2hvcnQ=" }])],
    ["no address", JSON.stringify([{ url: "file:///etc/passwd", secret }])],
    ["unknown keys", JSON.stringify([{ url: "https://x.example", secret, retries: 3 }])],
  ])("are refused with %s, and the message holds no secret", async (_name, text) => {
    const problem = await webhooksFrom({ webhooks: text }).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(problem).toContain("webhooks:");
    expect(problem).not.toMatch(/secret-in-clear|"short"|c2hvcnQ|AQEB/);
  });
});
