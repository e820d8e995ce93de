import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStore } from "../../processor/clickhouse/store.ts";
import { startServerFixture, type ServerFixture } from "../../processor/clickhouse/testing/server-fixture.ts";
import { createServiceFixture } from "../../processor/testing/running-service.ts";

const ENTRY = fileURLToPath(new URL("../cli.ts", import.meta.url));
let server: ServerFixture;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runproof-check-"));
  server = await startServerFixture({ users: [{ name: "svc", password: "pw", grants: ["SELECT ON *.*"] }] });
  const store = createStore({ url: server.url });
  await store.migrate();
  await store.close();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** With the server's address in the environment. */
function storeCheck(args: readonly string[] = [], env: Record<string, string> = {}) {
  const own = { PATH: process.env["PATH"], RUNPROOF_CLICKHOUSE_SERVER_URL: server.url, ...env };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [ENTRY, "store", "check", ...args], { cwd: folder, env: own }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("runproof store check", () => {
  test("ends with 0 on a store that is in order, 1 with findings, 3 without an answer, 2 with wrong settings", async () => {
    const fine = await storeCheck();
    expect(fine).toMatchObject({ code: 0, stderr: "" });
    expect(fine.stdout).toMatch(
      /^store http:\/\/127\.0\.0\.1:\d+, database default, user default, ClickHouse \d+\.\d+.*\nno findings\n$/,
    );
    expect((await storeCheck([], { RUNPROOF_RETENTION_DAYS: "30" })).code).toBe(1);
    const nobody = await storeCheck(["--clickhouse-url", "http://127.0.0.1:9"]);
    expect(nobody).toMatchObject({ code: 3, stdout: "" });
    expect(nobody.stderr).toContain("the store at http://127.0.0.1:9 cannot be reached");
    const wrong = await storeCheck([], { RUNPROOF_RETENTION: '{"otel_trace": 1}', RUNPROOF_CLICKHOUSE_CLUSTER: "" });
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("otel_trace");
    expect((await storeCheck([], { RUNPROOF_CLICKHOUSE_CLUSTER: "a b" })).code).toBe(2);
  });

  test("tells each finding with what to do, as text and as JSON", async () => {
    const user = { RUNPROOF_CLICKHOUSE_SERVER_USER: "svc", RUNPROOF_CLICKHOUSE_SERVER_PASSWORD: "pw" };
    const text = await storeCheck([], user);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain("right     INSERT: user svc lacks it on `default`.*, needed for storing\n");
    expect(text.stdout).toContain("-> GRANT INSERT ON `default`.* TO `svc`\n");
    const json = await storeCheck(["--json"], user);
    expect(json.code).toBe(1);
    const report = JSON.parse(json.stdout) as { findings: { code: string; subject: string; advice: string }[] };
    expect(report.findings).toContainEqual(
      expect.objectContaining({ code: "right", subject: "INSERT", advice: "GRANT INSERT ON `default`.* TO `svc`" }),
    );
    expect(text.stdout + text.stderr + json.stdout + json.stderr).not.toContain("pw");
  });

  test("takes the rules of retention from a file", async () => {
    const file = join(folder, "retention.json");
    await writeFile(file, '{"projects": {"team-a": {"otel_logs": 7}}}');
    const { code, stdout } = await storeCheck([], { RUNPROOF_RETENTION: file });
    expect(code).toBe(1);
    expect(stdout).toContain("DELETE WHERE Project IN ('team-a')");
  });

  test("finds nothing wrong with the embedded store", async () => {
    const fixture = await createServiceFixture();
    try {
      const service = await fixture.start();
      const { port } = new URL(service.clickhouseUrl);
      const own = { RUNPROOF_CLICKHOUSE_SERVER_URL: "", RUNPROOF_CLICKHOUSE_PORT: port };
      expect(await storeCheck([], own)).toMatchObject({ code: 0, stderr: "" });
    } finally {
      await fixture.close();
    }
  });

  test("has a help that tells its settings and exit codes", async () => {
    const { code, stdout } = await storeCheck(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("RUNPROOF_CLICKHOUSE_CLUSTER");
    expect(stdout).toContain("Exit code 0: fine, 1: findings, 3: the store does not answer");
  });
});
