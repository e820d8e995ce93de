import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MONITOR_METRICS, SELF_METRICS } from "../../instrumentation/semconv.ts";
import { prometheusName } from "../telemetry/prometheus-text.ts";
import { findPrograms } from "./testing/programs.ts";

const programs = findPrograms();
const run = promisify(execFile);
const deploy = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

const RULES = ["runproof-alerts.yml", "runproof-loop.yml"];
const TESTS = ["service.test.yml", "loop.test.yml"];

describe.skipIf(programs === undefined)("the Prometheus rules", () => {
  it("hold for every case of their tests", async () => {
    const files = TESTS.map((file) => deploy(`prometheus/tests/${file}`));
    const { stdout } = await run(programs?.promtool ?? "", ["test", "rules", ...files]);
    expect(stdout.match(/SUCCESS/g)).toHaveLength(TESTS.length);
  });

  it("are valid, and so is the configuration that loads them", async () => {
    await run(programs?.promtool ?? "", ["check", "config", deploy("prometheus/prometheus.yml")]);
  });
});

describe.skipIf(programs === undefined)("the Alertmanager's configuration", () => {
  const config = deploy("alertmanager/alertmanager.yml");

  it("is valid", async () => {
    await run(programs?.amtool ?? "", ["check-config", config]);
  });

  it.each([
    ["critical", "page"],
    ["warning", "ticket"],
    ["info", "nobody"],
    ["unheard-of", "ticket"],
  ])("routes %s to %s", async (severity, receiver) => {
    const args = ["config", "routes", "test", `--config.file=${config}`, `severity=${severity}`];
    expect((await run(programs?.amtool ?? "", args)).stdout.trim()).toBe(receiver);
  });
});

describe("alert rules", () => {
  it("name only metrics that the service has", async () => {
    const known = new Set([...Object.values(SELF_METRICS), ...Object.values(MONITOR_METRICS)].flatMap(seriesOf));
    for (const file of RULES) {
      const text = await readFile(deploy(`prometheus/${file}`), "utf8");
      const named = new Set(text.match(/\brunproof_[a-z_]+/g)?.filter((name) => name !== "runproof_quarantine"));
      expect(
        [...named].filter((name) => !known.has(name)),
        file,
      ).toEqual([]);
    }
  });

  it("each have a case in which they fire", async () => {
    const rules = (await Promise.all(RULES.map((file) => readFile(deploy(`prometheus/${file}`), "utf8")))).join("\n");
    const tests = (await Promise.all(TESTS.map((file) => readFile(deploy(`prometheus/tests/${file}`), "utf8")))).join(
      "\n",
    );
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const firing = new Set([...tests.matchAll(/alertname: (\w+)\s+exp_alerts:\s+- /g)].map(([, name]) => name));
    expect(alerts.length).toBeGreaterThan(20);
    expect(alerts.filter((name) => !firing.has(name))).toEqual([]);
  });
});

function seriesOf(
  metric: (typeof SELF_METRICS)[keyof typeof SELF_METRICS] | (typeof MONITOR_METRICS)[keyof typeof MONITOR_METRICS],
) {
  const name = prometheusName(metric);
  const isCounter = metric.kind === "counter" || metric.kind === "observable_counter";
  if (isCounter) return [`${name}_total`];
  return metric.kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
