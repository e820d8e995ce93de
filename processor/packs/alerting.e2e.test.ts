import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freePort } from "../testing/free-port.ts";
import { createServiceFixture, type ServiceFixture } from "../testing/running-service.ts";
import { findPrograms } from "./testing/programs.ts";

const programs = findPrograms();
const PATIENCE = { timeout: 60_000, interval: 200 };
const deploy = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));

interface Notification {
  readonly path: string;
  readonly status: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

let fixture: ServiceFixture;
let children: ChildProcess[];
let hooks: Server;
let told: Notification[];
beforeEach(async () => {
  children = [];
  told = [];
  fixture = await createServiceFixture({
    graceSeconds: 0,
    settleSeconds: 0,
    watchdogScanSeconds: 0.2,
    monitorIntervalSeconds: 1.5,
  });
  hooks = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const body = JSON.parse(Buffer.concat(chunks as Buffer[]).toString()) as Omit<Notification, "path">;
      told.push({ path: request.url ?? "", ...body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => hooks.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await fixture.close();
  await new Promise((resolve) => hooks.close(resolve));
});

/** The shipped files with other addresses and shorter pauses; rules and routes are as they are. */
async function startAlertmanager(): Promise<number> {
  const folder = join(fixture.directory, "alertmanager");
  await mkdir(folder);
  const { port } = hooks.address() as { port: number };
  const shipped = await readFile(deploy("alertmanager/alertmanager.yml"), "utf8");
  const config = shipped
    .replaceAll("127.0.0.1:9095", `127.0.0.1:${port}`)
    .replace("group_wait: 10s", "group_wait: 1s")
    .replace("group_interval: 1m", "group_interval: 1s");
  await writeFile(join(folder, "alertmanager.yml"), config);
  const listen = await freePort();
  const flags = [
    `--config.file=${join(folder, "alertmanager.yml")}`,
    `--storage.path=${folder}`,
    `--web.listen-address=127.0.0.1:${listen}`,
    "--cluster.listen-address=",
  ];
  await startProgram(programs?.["prometheus-alertmanager"] ?? "", flags, `http://127.0.0.1:${listen}/-/ready`);
  return listen;
}

async function startPrometheus(adminUrl: string, alertmanager: number): Promise<string> {
  const folder = join(fixture.directory, "prometheus");
  await mkdir(folder);
  const shipped = await readFile(deploy("prometheus/prometheus.yml"), "utf8");
  const config = shipped
    .replace("scrape_interval: 15s", "scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s")
    .replace("127.0.0.1:9464", new URL(adminUrl).host)
    .replace("127.0.0.1:9093", `127.0.0.1:${alertmanager}`)
    .replaceAll("- runproof-", `- ${deploy("prometheus")}/runproof-`);
  await writeFile(join(folder, "prometheus.yml"), config);
  const listen = await freePort();
  const url = `http://127.0.0.1:${listen}`;
  const flags = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${listen}`,
    "--log.level=error",
  ];
  await startProgram(programs?.prometheus ?? "", flags, `${url}/-/ready`);
  return url;
}

async function startProgram(path: string, flags: readonly string[], readyUrl: string): Promise<void> {
  const child = spawn(path, flags, { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  const said: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  await vi.waitFor(async () => {
    if (child.exitCode !== null) throw new Error(`${path} ended: ${Buffer.concat(said).toString()}`);
    expect((await fetch(readyUrl)).ok).toBe(true);
  }, PATIENCE);
}

const heard = (status: string, alertname: string): Notification | undefined =>
  told.find(({ alerts }) => alerts.some((one) => one.status === status && one.labels["alertname"] === alertname));

describe.skipIf(programs === undefined)("with a real Prometheus and a real Alertmanager", () => {
  it("a failed run pages once with its agent and class, and the page ends when somebody resolves it", async () => {
    const service = await fixture.start();
    const { adminUrl = "" } = service;
    await startPrometheus(adminUrl, await startAlertmanager());
    const agent = await fixture.agent("exit", "0");
    await agent.ended;

    await vi.waitFor(() => expect(heard("firing", "RunproofAgentFails")).toBeDefined(), PATIENCE);
    const page = heard("firing", "RunproofAgentFails");
    expect(page?.path).toBe("/page");
    expect(page?.alerts[0]?.labels).toMatchObject({ severity: "critical", agent: "killed" });
    expect(page?.alerts[0]?.labels["failure_class"]).toBeTruthy();

    const { alerts } = (await (await fetch(`${adminUrl}/v1/alerts`)).json()) as { alerts: { alert_id: string }[] };
    expect(alerts).toHaveLength(1);
    const resolved = await fetch(`${adminUrl}/v1/alerts/resolve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: alerts[0]?.alert_id, by: "ann", reason: "the agent was told to exit" }),
    });
    expect(resolved.status).toBe(200);
    await vi.waitFor(() => expect(heard("resolved", "RunproofAgentFails")).toBeDefined(), PATIENCE);
  });

  it("scrapes every metric that the rules of the loop are about", async () => {
    const { adminUrl = "" } = await fixture.start();
    const prometheus = await startPrometheus(adminUrl, 9);
    const series = async (name: string): Promise<number> => {
      const response = await fetch(`${prometheus}/api/v1/query?query=${name}`);
      const { data } = (await response.json()) as { data: { result: unknown[] } };
      return data.result.length;
    };
    for (const name of [
      "runproof_gate_open",
      "runproof_monitor_age_seconds",
      "runproof_runs_abandoned",
      "runproof_store_up",
    ]) {
      await vi.waitFor(async () => expect(await series(name), name).toBe(1), PATIENCE);
    }
  });
});
