import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadServiceConfig } from "../config.ts";
import { type Service, startService } from "../service.ts";
import { createStore } from "../clickhouse/store.ts";

let folder = "";
let service: Service | undefined;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "runproof-scope-"))));
afterEach(async () => {
  await service?.shutdown();
  service = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<Service> {
  const config = loadServiceConfig(
    { RUNPROOF_SCOPE_FILE: join(folder, "scope.json"), ...env },
    { otlpPort: 0, otlpGrpcPort: 0, clickhousePort: 0, adminPort: 0, dataDirectory: join(folder, "data") },
  );
  return (service = await startService(config));
}

interface Reply {
  readonly status: number;
  readonly body: {
    readonly service: { readonly at_start_up: Report; readonly now: Report };
    readonly request: Report;
    readonly cloud: { readonly scope: string | null; readonly version: string; readonly writable: boolean };
    readonly error?: string;
  };
}
interface Report {
  readonly state: string;
  readonly authorized: boolean;
  readonly resolved_scope: string | null;
  readonly mismatches: readonly { readonly reason: string }[];
}

async function ask(path: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(`${service?.adminUrl}${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Reply["body"] };
}
const post = (body: object, headers: Readonly<Record<string, string>> = {}) =>
  ask("/v1/scope/cloud", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

describe("GET /v1/scope/status", () => {
  it("shows how it was at start-up and how it is now, the drift is an event in the store, and closes the gate", async () => {
    const running = await start({ RUNPROOF_SCOPE_STAGE: "enforce" });
    const first = await ask("/v1/scope/status");
    expect(first.body.service.at_start_up).toMatchObject({
      state: "SYNCED",
      authorized: true,
      resolved_scope: "default",
    });
    const none = first.body.cloud;
    expect(none).toMatchObject({ kind: "absent", scope: null, writable: true, proven: false });
    expect((await post({ scope: "production", expected: none.version })).status).toBe(200);
    expect((await post({ scope: "theirs", expected: none.version })).status).toBe(409);
    await writeFile(join(folder, "scope.json"), '{"format_version":1,"scope":"staging","generation":1}');
    const { body } = await ask("/v1/scope/status");
    expect(body.service.at_start_up.state).toBe("SYNCED");
    expect(body.service.now).toMatchObject({
      state: "DRIFTED",
      resolved_scope: "staging",
      mismatches: [{ reason: "cloud_mismatch", action_required: "sync_cloud" }],
    });
    const store = createStore({ url: running.clickhouseUrl });
    const sql = "SELECT LogAttributes FROM otel_logs WHERE EventName = 'scope_drift_detected'";
    // Stored beside the answer.
    const event = await vi.waitFor(
      async () => {
        const [row] = await store.query<{ LogAttributes: object }>(sql);
        expect(row).toBeDefined();
        return row;
      },
      { timeout: 60_000, interval: 100 },
    );
    await store.close();
    expect(event?.LogAttributes).toEqual({
      runtime_scope: "",
      local_scope: "staging",
      cloud_scope: "production",
      resolved_scope: "staging",
      authorized: "true",
      reason: "cloud_mismatch",
      action_required: "sync_cloud",
      "drift_snapshot.source_precedence": '["runtime","local","cloud","fallback"]',
    });
    for (const refused of [
      { scope: "a b", expected: "none" },
      { scope: "x" },
      { scope: "x", expected: "", more: 1 },
      [],
    ]) {
      expect((await post(refused)).status).toBe(400);
    }
    const gate = await fetch(`${service?.adminUrl}/v1/gate`);
    expect(gate.status).toBe(503);
    expect(await gate.text()).toContain("scope");
  });
});
